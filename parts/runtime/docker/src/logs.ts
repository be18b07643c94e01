import { setTimeout as delay } from "node:timers/promises";
import type { InstanceRef, LogLine, LogOptions } from "@sampan/runtime";
import { demux } from "./demux.ts";
import type { DriverContext } from "./driver-context.ts";
import { parseLogFrame } from "./log-frame.ts";

const LOOK_MS = 200;
/** A container that is restarted by hand is stopped for a moment, and looks as if it were so for good. */
const RESTART_MS = 3000;

/**
 * Reads an instance's log as the engine keeps it, across rotation. The engine ends a followed log at each stop of the
 * container; one that comes up again is read on from the last line.
 */
export async function* readLogs(
  context: DriverContext,
  ref: InstanceRef,
  options: LogOptions,
): AsyncGenerator<LogLine> {
  try {
    yield* readRuns(context, ref, options);
  } catch (error) {
    // An abort is how a reader ends it, not a failure.
    if (options.signal?.aborted !== true) throw error;
  }
}

async function* readRuns(
  context: DriverContext,
  ref: InstanceRef,
  options: LogOptions,
): AsyncGenerator<LogLine> {
  await context.scope.instance(ref, options.signal);
  if (options.tail === 0 && !options.follow) return;
  let query = { tail: options.tail, since: sinceOf(options.since) };
  for (;;) {
    let last: string | undefined;
    for await (const line of readOnce(
      context,
      ref.id,
      { ...query, follow: options.follow },
      options.signal,
    )) {
      last = line.at;
      yield line;
    }
    if (!options.follow) return;
    options.signal?.throwIfAborted();
    if (!(await comesAgain(context, ref.id, options.signal))) return;
    query = { tail: undefined, since: last === undefined ? query.since : afterTime(last) };
  }
}

async function* readOnce(
  context: DriverContext,
  id: string,
  query: { readonly tail: number | undefined; readonly since: string | undefined; readonly follow: boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  const source = context.client.stream({
    method: "GET",
    path: `/containers/${id}/logs`,
    query: { stdout: true, stderr: true, timestamps: true, ...query },
    what: "read a log",
    accept: [404],
    timeoutMs: 0,
    signal,
  });
  for await (const frame of demux(source)) yield* parseLogFrame(frame);
}

/** Whether a container whose log has ended runs again, or will. */
async function comesAgain(
  context: DriverContext,
  id: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (let stoppedMs = 0; stoppedMs <= RESTART_MS; ) {
    const container = await context.scope.inspect(id, signal);
    if (container === undefined) return false;
    const { Running, Restarting } = container.State;
    if (Running && !Restarting) return true;
    if (!Restarting && (container.HostConfig.RestartPolicy?.Name ?? "no") === "no") return false;
    await delay(LOOK_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    signal?.throwIfAborted();
    stoppedMs = Restarting ? 0 : stoppedMs + LOOK_MS;
  }
  return false;
}

/** The engine takes seconds with up to nine decimals. */
function sinceOf(iso: string | undefined): string | undefined {
  if (iso === undefined) return undefined;
  const match = /^(.*?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(iso);
  const seconds = Math.floor(Date.parse(match === null ? iso : `${match[1]}${match[3]}`) / 1000);
  return Number.isNaN(seconds) ? undefined : `${seconds}.${(match?.[2] ?? "").padEnd(9, "0")}`;
}

/** The smallest time after that of a line. */
function afterTime(iso: string): string | undefined {
  const [seconds = "0", nanos = "0"] = (sinceOf(iso) ?? "").split(".");
  const next = BigInt(seconds) * 1_000_000_000n + BigInt(nanos) + 1n;
  return `${next / 1_000_000_000n}.${String(next % 1_000_000_000n).padStart(9, "0")}`;
}
