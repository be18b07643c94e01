import type { Terminal } from "./driver.ts";
import type { ProgramResult } from "./memory-program.ts";

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "/bin/sh", "/bin/bash"]);
const LINE_END = /\r\n|\r|\n/;
const HUNG_UP = 130;

type Run = (command: readonly string[]) => ProgramResult;

/** Shows what `command` writes and ends with it; a shell runs each line as a command, words split at spaces, until `exit`. */
export function openMemoryTerminal(command: readonly string[], run: Run): Terminal {
  return new MemoryTerminal(command, run);
}

class MemoryTerminal implements Terminal {
  readonly output: AsyncIterable<Uint8Array>;
  readonly exitCode: Promise<number>;
  readonly #run: Run;
  readonly #pending: Uint8Array[] = [];
  readonly #exit: (code: number) => void;
  #wake = () => {};
  #typed = "";
  #ended = false;

  constructor(command: readonly string[], run: Run) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.exitCode = promise;
    this.#exit = resolve;
    this.#run = run;
    this.output = this.#read();
    if (SHELLS.has(command[0] ?? "")) this.#show("$ ");
    else {
      const { exitCode, stdout = "", stderr = "" } = run(command);
      this.#show(stdout + stderr);
      this.#end(exitCode);
    }
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#ended) return;
    const text = Buffer.from(data).toString();
    this.#show(text.replaceAll("\r", "\n"));
    const lines = (this.#typed + text).split(LINE_END);
    this.#typed = lines.pop() ?? "";
    for (const line of lines) if (!this.#ended) this.#runLine(line);
  }

  async resize(): Promise<void> {}

  async close(): Promise<void> {
    this.#end(HUNG_UP);
  }

  #runLine(line: string): void {
    const [name = "", ...words] = line.trim().split(/\s+/);
    if (name === "exit") {
      this.#end(Number(words[0] ?? 0) & 255);
      return;
    }
    if (name !== "") {
      const { stdout = "", stderr = "" } = this.#run([name, ...words]);
      this.#show(stdout + stderr);
    }
    this.#show("$ ");
  }

  #show(text: string): void {
    this.#pending.push(Buffer.from(text.replaceAll("\n", "\r\n")));
    this.#wake();
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#exit(code);
    this.#wake();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield* this.#pending.splice(0);
      if (this.#pending.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
