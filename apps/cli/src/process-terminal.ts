import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { humanBytes } from "./amounts.ts";
import { cliProblem } from "./problems.ts";
import type { Terminal } from "./terminal.ts";

const CLEAR_LINE = "\r\u001b[2K";
const CLEAR_SCREEN = "\u001b[H\u001b[2J";
const COLUMNS_DEFAULT = 100;

/** The terminal of this process. */
export function openTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  // `sampan app list | head -1`: who reads no longer is not written to, and that is no fault.
  for (const stream of [stdout, stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(0);
    });
  let isOverwriting = false;
  const overwrite = (text = "") => {
    if (text === "" && !isOverwriting) return;
    stderr.write(`${CLEAR_LINE}${text}`);
    isOverwriting = text !== "";
  };
  return {
    isInteractive: stdin.isTTY === true && stderr.isTTY === true,
    columns: stderr.columns ?? COLUMNS_DEFAULT,
    out(text) {
      overwrite();
      stdout.write(`${text}\n`);
    },
    err(text) {
      overwrite();
      stderr.write(`${text}\n`);
    },
    overwrite,
    redraw: (text) => stdout.write(stdout.isTTY === true ? `${CLEAR_SCREEN}${text}\n` : `${text}\n`),
    ask,
    readStdin,
  };
}

const readStdin: Terminal["readStdin"] = async ({ sizeBytesMax }) => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > sizeBytesMax)
      throw cliProblem("CLI_FILE", "standard input is too long", {
        why: `${humanBytes(sizeBytesMax)} are allowed`,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
};

const ask: Terminal["ask"] = async (question, options = {}) => {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true) {
    throw cliProblem("CLI_USAGE", `${question.replace(/( \[.*\])?:? ?$/, "")} is not given`, {
      why: "nobody is there to ask",
      hint: "see --help for the option that gives it",
    });
  }
  const isSecret = options.secret === true;
  const echo = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isSecret) stderr.write(chunk);
      done();
    },
  });
  if (isSecret) stderr.write(question);
  const lines = createInterface({ input: stdin, output: echo, terminal: true });
  // Within a question the terminal is raw: Ctrl-C comes as a key, not as a signal.
  const interrupted = new Promise<never>((_, reject) => {
    lines.once("SIGINT", () => {
      if (!isSecret) stderr.write("\n");
      reject(new DOMException("interrupted", "AbortError"));
    });
  });
  try {
    const answer = await Promise.race([lines.question(isSecret ? "" : question), interrupted]);
    return answer === "" ? (options.default ?? "") : answer;
  } finally {
    lines.close();
    if (isSecret) stderr.write("\n");
  }
};
