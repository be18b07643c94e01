import type { Terminal } from "./driver.ts";
import type { ProgramResult } from "./memory-program.ts";

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "/bin/sh", "/bin/bash"]);
const LINE_END = /\r\n|\r|\n/;

/** Shows what `command` writes and ends with it; a shell runs each line as a command, words split at spaces, until `exit`. */
export function openMemoryTerminal(
  command: readonly string[],
  run: (command: readonly string[]) => ProgramResult,
): Terminal {
  const pending: Uint8Array[] = [];
  let wake = () => {};
  let typed = "";
  let ended = false;
  const { promise: exitCode, resolve: exit } = Promise.withResolvers<number>();

  function show(text: string): void {
    pending.push(Buffer.from(text.replaceAll("\n", "\r\n")));
    wake();
  }

  function end(code: number): void {
    if (ended) return;
    ended = true;
    exit(code);
    wake();
  }

  function runLine(line: string): void {
    const [name = "", ...words] = line.trim().split(/\s+/);
    if (name === "exit") {
      end(Number(words[0] ?? 0) & 255);
      return;
    }
    if (name !== "") {
      const { stdout = "", stderr = "" } = run([name, ...words]);
      show(stdout + stderr);
    }
    show("$ ");
  }

  async function* output() {
    for (;;) {
      yield* pending.splice(0);
      if (ended && pending.length === 0) return;
      if (pending.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }

  const { exitCode: code, stdout = "", stderr = "" } = run(command);
  if (SHELLS.has(command[0] ?? "")) show("$ ");
  else {
    show(stdout + stderr);
    end(code);
  }
  return {
    output: output(),
    exitCode,
    async write(data) {
      if (ended) return;
      const text = Buffer.from(data).toString();
      show(text.replaceAll("\r", "\n"));
      const lines = (typed + text).split(LINE_END);
      typed = lines.pop() ?? "";
      for (const line of lines) if (!ended) runLine(line);
    },
    async resize() {},
    async close() {
      end(130);
    },
  };
}
