import type { Clock } from "./clock.ts";
import type { Driver, InstanceRef, LogLine, LogOptions } from "./driver.ts";
import type { MemoryEngine } from "./memory-engine.ts";
import type { MemoryInstance } from "./memory-instance.ts";
import { refuseUnreachable } from "./memory-steps.ts";
import { openMemoryTerminal } from "./memory-terminal.ts";
import { runtimeProblem } from "./problems.ts";

const PROGRAM_MEMORY_BYTES = 16 * 1024 ** 2;
const BODY_BYTES_MAX = 64 * 1024;

/** What is done with one instance of the memory engine. */
export function insideVerbs(
  engine: MemoryEngine,
): Pick<Driver, "logs" | "exec" | "attach" | "restart" | "stats" | "request"> {
  const find = (ref: InstanceRef) => findInstance(engine, ref);
  return {
    logs: (ref, logOptions) => readLogs(engine, ref, logOptions),
    exec: async (ref, command, { timeoutMs, outputBytesMax, env, signal }) => {
      const instance = find(ref);
      signal?.throwIfAborted();
      refuseNotRunning(instance);
      const result = instance.run(command, engine.clock.now(), env);
      const takesMs = result.takesMs ?? 0;
      await engine.clock.sleep(Math.min(takesMs, timeoutMs), signal);
      if (takesMs > timeoutMs)
        throw runtimeProblem("RUNTIME_TIMEOUT", `the command did not end within ${timeoutMs} ms`, {
          why: command[0] ?? "",
        });
      return cutOutput(result, outputBytesMax);
    },
    attach: async (ref, command) => {
      const instance = find(ref);
      refuseNotRunning(instance);
      return openMemoryTerminal(command, (words) => instance.run(words, engine.clock.now()));
    },
    restart: async (ref) => find(ref).restart(engine.clock.now()),
    stats: async (ref) => {
      const { program, component } = find(ref).options;
      const limit = component.spec.limits.memoryBytes;
      return {
        at: new Date(engine.clock.now()).toISOString(),
        cpu: 0.01,
        memoryBytes: program.memoryBytes ?? PROGRAM_MEMORY_BYTES,
        ...(limit === undefined ? {} : { memoryLimitBytes: limit }),
        networkReceivedBytes: 0,
        networkSentBytes: 0,
        processes: 1,
      };
    },
    request: async (ref, request, signal) => {
      signal?.throwIfAborted();
      const reply = find(ref).reply(request, engine.clock.now());
      if (reply === undefined)
        throw runtimeProblem(
          "RUNTIME_NO_ANSWER",
          `nothing answers at port ${request.port} of ${ref.component}`,
        );
      return { status: reply.status, body: reply.body.slice(0, BODY_BYTES_MAX) };
    },
  };
}

function findInstance(engine: MemoryEngine, ref: InstanceRef): MemoryInstance {
  refuseUnreachable(engine);
  const instance = engine.apps.get(ref.app)?.instances.get(ref.id);
  if (instance === undefined)
    throw runtimeProblem("RUNTIME_ABSENT", `the instance of ${ref.component} does not exist any more`, {
      hint: "look again",
    });
  instance.advance(engine.clock.now());
  return instance;
}

function refuseNotRunning(instance: MemoryInstance): void {
  if (!instance.running)
    throw runtimeProblem("RUNTIME_REFUSED", "the instance does not run", {
      why: `it is ${instance.state}`,
    });
}

async function* readLogs(
  engine: MemoryEngine,
  ref: InstanceRef,
  { follow, tail, since, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const instance = findInstance(engine, ref);
  const told = instance.log.filter((line) => since === undefined || line.at >= since);
  let last = instance.log.at(-1);
  yield* tail === undefined ? told : told.slice(Math.max(0, told.length - tail));
  while (follow && signal?.aborted !== true) {
    instance.advance(engine.clock.now());
    // The log is cut at its beginning, so the place is found again by the line itself.
    const fresh = instance.log.slice(last === undefined ? 0 : instance.log.lastIndexOf(last) + 1);
    last = fresh.at(-1) ?? last;
    yield* fresh;
    if (fresh.length > 0) continue;
    const gone = !engine.apps.get(ref.app)?.instances.has(ref.id);
    if (gone || (!instance.running && instance.nextAt("life") === undefined)) return;
    if (!(await changeOf(engine, ref, { until: instance.nextAt("life"), signal }))) return;
  }
}

/** Waits for a change of an instance, or until a time; false when the signal aborted. */
async function changeOf(
  engine: MemoryEngine,
  ref: InstanceRef,
  { until, signal }: { readonly until: number | undefined; readonly signal: AbortSignal | undefined },
): Promise<boolean> {
  const stop = new AbortController();
  const waking = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  const forget = engine.onChange((change) => {
    if (change.app === ref.app && change.component === ref.component) stop.abort();
  });
  await sleepUntil(engine.clock, until, waking);
  forget();
  return signal?.aborted !== true;
}

/** Sleeps until a time (undefined: for ever) or until the signal aborts, whichever is first. */
export async function sleepUntil(
  clock: Clock,
  until: number | undefined,
  waking: AbortSignal,
): Promise<void> {
  if (until === undefined) {
    if (!waking.aborted)
      await new Promise((resolve) => waking.addEventListener("abort", resolve, { once: true }));
    return;
  }
  try {
    await clock.sleep(until - clock.now(), waking);
  } catch (error) {
    if (!waking.aborted) throw error;
  }
}

function cutOutput(
  result: { readonly exitCode: number; readonly stdout?: string; readonly stderr?: string },
  outputBytesMax: number,
) {
  const stdout = Buffer.from(result.stdout ?? "");
  const stderr = Buffer.from(result.stderr ?? "");
  const left = Math.max(0, outputBytesMax - stdout.length);
  return {
    exitCode: result.exitCode,
    stdout: stdout.subarray(0, outputBytesMax).toString(),
    stderr: stderr.subarray(0, left).toString(),
    truncated: stdout.length + stderr.length > outputBytesMax,
  };
}
