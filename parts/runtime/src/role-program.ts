import type { MemoryProgram, ProgramResult, ProgramWorld } from "./memory-program.ts";

const PORT = 8080;
const SICK = "/run/sick";

/** `/role` of the conformance suite, for the memory engine. */
export const roleProgram: MemoryProgram = {
  start({ command: [, word = "", first, ...rest] }) {
    switch (word) {
      case "serve":
        return {
          listens: [{ port: PORT, afterMs: Number(first ?? 0) }],
          output: [{ stream: "stdout", text: "serving" }],
        };
      case "crash":
        return {
          exit: { afterMs: 20, code: Number(first ?? 3) },
          listens: [],
          output: [{ stream: "stderr", text: "crashing" }],
        };
      case "end":
        return {
          exit: { afterMs: 20, code: Number(first ?? 0) },
          listens: [],
          output: [{ stream: "stdout", text: "done" }],
        };
      case "lines": {
        const lines = Array.from({ length: Number(first) }, (_, at) => `line ${at + 1}`);
        return {
          listens: [],
          output: [
            ...lines.map((text) => ({ stream: "stdout" as const, text })),
            { stream: "stderr", text: "to stderr" },
          ],
        };
      }
      case "idle":
        return { listens: [] };
      default:
        return { exit: { afterMs: 0, code: 64 + rest.length }, listens: [] };
    }
  },
  reply(world, { path }) {
    if (path === "/") return { status: 200, body: world.env.TAG ?? "" };
    const ready = path === "/ready" && world.files.read(SICK) === undefined;
    return ready ? { status: 200, body: "ready" } : { status: 404, body: "" };
  },
  exec(world, [program, word = "", ...rest]) {
    return program === "/role" ? WORDS[word]?.(world, rest) : undefined;
  },
};

const CANNOT: ProgramResult = { exitCode: 1 };

const WORDS: Readonly<Record<string, (world: ProgramWorld, rest: readonly string[]) => ProgramResult>> = {
  get(world, [url = ""]) {
    const local = new URL(url).hostname === "127.0.0.1";
    const reply = world.fetch(local ? url.replace("127.0.0.1", `${world.component}-${world.index}`) : url);
    return reply?.status === 200 ? write(reply.body) : CANNOT;
  },
  env: (world, [name = ""]) => write(world.env[name]),
  cat: (world, [path = ""]) => write(world.files.read(path)),
  mode(world, [path]) {
    const file = world.spec.files.find((one) => one.path === path);
    return write(file?.mode.toString(8).padStart(4, "0"));
  },
  write: (world, [path = "", text = ""]) => (world.files.write(path, text) ? write("") : CANNOT),
  exit: (_world, [code]) => ({ exitCode: Number(code) }),
  both: () => ({ exitCode: 0, stdout: "out\n", stderr: "err\n" }),
  spew: (_world, [count]) => write("x".repeat(Number(count))),
  hang: () => ({ exitCode: 0, takesMs: Number.POSITIVE_INFINITY }),
  input: () => write("end of input"),
  sick: (world) => (world.files.write(SICK, "") ? write("") : CANNOT),
  well: (world) => (world.files.delete(SICK) ? write("") : CANNOT),
};

function write(text: string | undefined): ProgramResult {
  return text === undefined ? CANNOT : { exitCode: 0, stdout: text };
}
