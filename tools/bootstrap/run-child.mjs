// @ts-check
import { spawn } from "node:child_process";
import { availableParallelism, constants } from "node:os";
import { join } from "node:path";

const FORWARDED = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/** zstd, hashing of files and argon2 run in libuv's pool: its four threads would leave processors idle. */
const THREADS_MIN = 8;

/**
 * Runs a program in place of this one: same terminal, signals passed on.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ readonly cwd: string, readonly env: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} its exit code; 128 + the signal where one ended it
 */
export function runChild(program, args, { cwd, env }) {
  const child = spawn(program, args, { stdio: "inherit", cwd, env });
  const forwards = FORWARDED.map((signal) => {
    const forward = () => {
      // A terminal has sent its Ctrl-C to the child already; a second one would make it quit at once.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    };
    process.on(signal, forward);
    return { signal, forward };
  });
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`${program} does not start`, { cause: error })));
    child.on("exit", (code, signal) => {
      for (const { signal: name, forward } of forwards) process.off(name, forward);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/**
 * The environment that the sources run in.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {{ readonly root: string, readonly dockerHost: string | undefined }} options
 * @returns {NodeJS.ProcessEnv}
 */
export function childEnvironment(env, { root, dockerHost }) {
  return {
    ...env,
    PATH: `${join(root, "node_modules", ".bin")}:${env.PATH ?? ""}`,
    // Each thread of the pool packs in an arena of its own otherwise, which costs up to 100 MB.
    MALLOC_ARENA_MAX: env.MALLOC_ARENA_MAX ?? "2",
    // Buffers of packs go back to the system when they are free, instead of staying in an arena for ever.
    MALLOC_MMAP_THRESHOLD_: env.MALLOC_MMAP_THRESHOLD_ ?? "1048576",
    UV_THREADPOOL_SIZE: env.UV_THREADPOOL_SIZE ?? String(Math.max(THREADS_MIN, availableParallelism() * 2)),
    ...(dockerHost === undefined ? {} : { DOCKER_HOST: dockerHost }),
  };
}
