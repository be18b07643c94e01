import { execFile, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const POLL_MS = 50;

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly timeoutMs?: number;
}

/** Runs a command to its end, whatever its exit code; a command that a signal ended, or that is not there, throws. */
export function runToEnd(command: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const settings = {
      cwd: options.cwd,
      env: options.env ?? process.env,
      maxBuffer: OUTPUT_BYTES_MAX,
      timeout: options.timeoutMs ?? 0,
    };
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === "number") resolve({ exitCode, stdout, stderr });
      else
        reject(new Error(`${command.join(" ")} was not run to its end: ${stderr.trim()}`, { cause: error }));
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.stdin ?? "");
  });
}

/** Runs a command that must succeed; gives what it wrote. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runToEnd(command, options);
  if (exitCode !== 0)
    throw new Error(
      `${command.join(" ")} ended with ${exitCode}:\n${`${stdout}\n${stderr}`.trim().slice(-4_000)}`,
    );
  return stdout;
}

/** Starts a command whose output goes to an open file; it outlives nothing: whoever starts it ends it. */
export function startLogged(
  command: readonly string[],
  { logFd, ...options }: { readonly logFd: number; readonly env: Readonly<Record<string, string>> },
) {
  const [program = "", ...args] = command;
  return spawn(program, args, { ...options, stdio: ["ignore", logFd, logFd] });
}

/** When a process began, in clock ticks since the machine did: with its id it names one process for ever. */
export async function processStart(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in brackets may hold anything; the fields after it are counted from 3.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" ? undefined : fields[22 - 3];
}

export async function allProcesses(): Promise<number[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Waits until none of the processes runs any more; those that still do are given. */
export async function untilGone(pids: readonly number[], timeoutMs: number): Promise<readonly number[]> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const alive = [];
    for (const pid of pids) if ((await processStart(pid)) !== undefined) alive.push(pid);
    if (alive.length === 0 || performance.now() > deadlineMs) return alive;
    await sleep(POLL_MS);
  }
}

/** Thrown by what {@link until} asks, when asking again is of no use. */
export class Hopeless extends Error {
  override readonly name = "Hopeless";
}

/** Asks until the answer is there, or throws with the last failure. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  let failure: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      failure = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      failure = error;
    }
    if (performance.now() > deadlineMs)
      throw new Error(`${what}: not within ${timeoutMs / 1000} s`, { cause: failure });
    await sleep(POLL_MS);
  }
}
