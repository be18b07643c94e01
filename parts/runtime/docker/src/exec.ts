import { describeError } from "@sampan/problem";
import { type ExecOptions, type ExecResult, runtimeProblem } from "@sampan/runtime";
import { demux } from "./demux.ts";
import type { EngineClient } from "./engine-client.ts";
import type { EngineExec } from "./engine-types.ts";
import { killTree } from "./kill-tree.ts";

/**
 * Runs a command in a container to its end. Past its time limit the command is killed where the engine is on this
 * machine and this process may; RUNTIME_TIMEOUT either way.
 */
export async function runCommand(
  client: EngineClient,
  container: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const time = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? time : AbortSignal.any([options.signal, time]);
  let exec: string | undefined;
  try {
    exec = await createExec(client, container, {
      AttachStdout: true,
      AttachStderr: true,
      Cmd: command,
      Env: Object.entries(options.env ?? {}).map(([key, value]) => `${key}=${value}`),
      signal,
    });
    const output = await readOutput(client, exec, { outputBytesMax: options.outputBytesMax, signal });
    const { ExitCode } = await inspectExec(client, exec, signal);
    return { exitCode: ExitCode ?? 0, ...output };
  } catch (error) {
    if (!signal.aborted) throw error;
    if (exec !== undefined) await killLeftover(client, { exec, container });
    options.signal?.throwIfAborted();
    throw runtimeProblem("RUNTIME_TIMEOUT", `the command did not end within ${options.timeoutMs} ms`, {
      why: command[0] ?? "",
    });
  }
}

/** Makes an exec of a running container ready to start. Throws RUNTIME_ABSENT, or RUNTIME_REFUSED when it does not run. */
export async function createExec(
  client: EngineClient,
  container: string,
  options: { readonly signal?: AbortSignal | undefined } & Readonly<Record<string, unknown>>,
): Promise<string> {
  const { signal, ...body } = options;
  const { status, body: made } = await client.call<{ readonly Id: string }>({
    method: "POST",
    path: `/containers/${container}/exec`,
    body,
    what: "run a command in a container",
    accept: [404],
    signal,
  });
  if (status === 404) throw runtimeProblem("RUNTIME_ABSENT", "the instance does not exist any more");
  return made.Id;
}

export async function inspectExec(
  client: EngineClient,
  exec: string,
  signal?: AbortSignal,
): Promise<EngineExec> {
  const { body } = await client.call<EngineExec>({
    method: "GET",
    path: `/exec/${exec}/json`,
    what: "tell how a command ended",
    signal,
  });
  return body;
}

async function readOutput(
  client: EngineClient,
  exec: string,
  options: { readonly outputBytesMax: number; readonly signal: AbortSignal },
): Promise<Omit<ExecResult, "exitCode">> {
  const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  let left = options.outputBytesMax;
  let truncated = false;
  const source = client.stream({
    method: "POST",
    path: `/exec/${exec}/start`,
    body: { Detach: false, Tty: false },
    what: "run a command in a container",
    timeoutMs: 0,
    signal: options.signal,
  });
  for await (const { stream, data } of demux(source)) {
    if (data.length > left) truncated = true;
    if (left > 0) kept[stream].push(Buffer.from(data.subarray(0, left)));
    left = Math.max(0, left - data.length);
  }
  const text = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces).toString("utf8");
  return { stdout: text(kept.stdout), stderr: text(kept.stderr), truncated };
}

/** The engine has no call to end an exec; its process is killed from outside. */
async function killLeftover(
  client: EngineClient,
  one: { readonly exec: string; readonly container: string },
): Promise<void> {
  if (client.address.kind !== "socket") return;
  try {
    const { Running, Pid } = await inspectExec(client, one.exec);
    if (Running && Pid !== undefined && Pid > 0) await killTree(Pid, one.container);
  } catch (error) {
    // The timeout is what is told; that the process could not be ended is only worth a warning.
    process.emitWarning(`a command in ${one.container.slice(0, 12)} goes on: ${describeError(error)}`);
  }
}
