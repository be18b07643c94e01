import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const ROOT = join(import.meta.dirname, "..", "..", "..");
/** The server over memory parts, without what `npm run dev` puts into it. It ends with its standard input. */
const SERVER = `
import { readConfig, startServer } from ${JSON.stringify(join(ROOT, "apps/server/src/index.ts"))};
const server = await startServer(readConfig(process.env, ["--dev"]));
process.stdout.write(JSON.stringify({ listening: server.url }) + "\\n");
process.stdin.resume().once("end", () => server.close().then(() => process.exit(0)));
`;
const PASSWORD = "a long enough password";

export interface Ended {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** For tests: a real server over memory parts in a folder of its own, and the command line that speaks to it. */
export class TestSite implements AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  readonly #server: ChildProcess;

  private constructor(folder: string, server: ChildProcess, url: string) {
    this.folder = folder;
    this.#server = server;
    this.url = url;
  }

  static async start(): Promise<TestSite> {
    const folder = await mkdtemp(join(tmpdir(), "sampan-site-"));
    const server = spawn(process.execPath, ["--input-type=module", "-e", SERVER], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH ?? "",
        HOME: folder,
        SAMPAN_DATA: join(folder, "data"),
        SAMPAN_LISTEN: "127.0.0.1:0",
        SAMPAN_LOG: "warn",
      },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: server.stdout as Readable });
    const url = await new Promise<string>((resolve, reject) => {
      // It goes on being read: a full pipe would stop the server.
      lines.on("line", (line) => {
        if (line.startsWith('{"listening":')) resolve(JSON.parse(line).listening);
        else if (line.includes('"level":50')) process.stderr.write(`${line}\n`);
      });
      server.once("close", () => reject(new Error("the server ended before it listened")));
    });
    return new TestSite(folder, server, url);
  }

  async setUp(enterprise: string): Promise<Ended> {
    const words = ["setup", "--enterprise", enterprise, "--user", "admin", "--password-stdin"];
    return await this.run(words, { stdin: `${PASSWORD}\n` });
  }

  async token(): Promise<string> {
    return JSON.parse(await readFile(join(this.folder, "session.json"), "utf8")).token;
  }

  /** One command line, in the site's folder. */
  async run(words: readonly string[], options: { readonly stdin?: string } = {}): Promise<Ended> {
    const child = spawn(process.execPath, [join(ROOT, "apps/cli/src/main.ts"), ...words], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH ?? "",
        SAMPAN_SERVER: this.url,
        SAMPAN_CONFIG: join(this.folder, "session.json"),
      },
    });
    child.stdin.end(options.stdin ?? "");
    const [out, err, [code]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, "close") as Promise<[number]>,
    ]);
    return { exitCode: code, out, err };
  }

  /** A command line that must succeed, with --json and --yes; gives its result. */
  async json<T = Readonly<Record<string, unknown>>>(...words: readonly string[]): Promise<T> {
    const { exitCode, out, err } = await this.run([...words, "--json", "--yes"]);
    if (exitCode !== 0 || err !== "")
      throw new Error(`sampan ${words.join(" ")} ended with ${exitCode}: ${err}`);
    return JSON.parse(out) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.exitCode === null) {
      const gone = once(this.#server, "close");
      this.#server.stdin?.end();
      await gone;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8").trimEnd();
}
