import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { appendFileSync, closeSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type Client, createClient } from "@sampan/api";
import { cleanEnvironment, REPOSITORY } from "./clean-environment.ts";
import type { Place } from "./place.ts";
import { type Ended, Hopeless, runToEnd, until, untilGone } from "./processes.ts";
import type { StoryFolder } from "./story-folder.ts";

const READY_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 30_000;
const COMMAND_WITHIN_MS = 900_000;
const LOG_SHOWN = 4_000;
const PASSWORD = "a long enough password";

export interface ServerOptions {
  /** Apart from the place's other servers: names its folder and its log. */
  readonly name: string;
  readonly dataFolder?: string;
  /** Where a stick is plugged in: bundles may be imported straight from there. */
  readonly importFrom?: readonly string[];
  /** `host:port`; port 0 takes a free one at the first start, which is kept over restarts. */
  readonly listen?: string;
}

/** A Sampan server as a process of its own, and the command line that speaks to it. */
export class SampanServer implements AsyncDisposable {
  readonly place: Place;
  readonly dataFolder: string;
  readonly logPath: string;
  readonly #story: StoryFolder;
  readonly #options: ServerOptions;
  readonly #sessionPath: string;
  #process: ChildProcess | undefined;
  #url: string | undefined;
  #token: string | undefined;

  constructor(story: StoryFolder, place: Place, options: ServerOptions) {
    this.place = place;
    this.dataFolder = options.dataFolder ?? join(story.path, `${options.name}-data`);
    this.logPath = join(story.path, `${options.name}.log`);
    this.#sessionPath = join(story.path, `${options.name}-session.json`);
    this.#story = story;
    this.#options = options;
  }

  get url(): string {
    if (this.#url === undefined) throw new Error(`the ${this.#options.name} server was never started`);
    return this.#url;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`the ${this.#options.name} server does not run`);
    return pid;
  }

  get isRunning(): boolean {
    return (
      this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    );
  }

  /** Starts it, and again after a kill; ready when it answers. Throws with the end of its log when it ends instead. */
  async start(): Promise<void> {
    await mkdir(this.dataFolder, { recursive: true });
    const logFd = openSync(this.logPath, "a");
    const [program = "", ...args] = this.place.command([process.execPath, "apps/server/src/main.ts"]);
    const child = spawn(program, args, {
      cwd: REPOSITORY,
      env: this.#environment(),
      stdio: ["ignore", "pipe", logFd],
    });
    closeSync(logFd);
    this.#process = child;
    const lines = createInterface({ input: child.stdout as Readable });
    lines.on("line", (line) => {
      appendFileSync(this.logPath, `${line}\n`);
      this.#url = listeningIn(line) ?? this.#url;
    });
    const said = this.#url;
    this.#url = undefined;
    await until("the server listens", READY_WITHIN_MS, async () => {
      if (!this.isRunning) throw new Hopeless(await this.#lastWords());
      return this.#url;
    }).catch(async (error: unknown) => {
      throw error instanceof Hopeless ? error : new Error(await this.#lastWords(), { cause: error });
    });
    if (said !== undefined && said !== this.#url)
      throw new Error(`it was at ${said}, and is at ${this.#url}`);
    await until("the server is well", READY_WITHIN_MS, async () =>
      (await this.client().getHealth()).ok ? true : undefined,
    );
  }

  #environment(): Readonly<Record<string, string>> {
    const { listen = "127.0.0.1:0", importFrom = [] } = this.#options;
    return {
      ...cleanEnvironment(this.#story.id),
      HOME: this.#story.path,
      DOCKER_HOST: this.place.dockerHost,
      SAMPAN_DATA: this.dataFolder,
      SAMPAN_LISTEN: this.#url === undefined ? listen : new URL(this.#url).host,
      SAMPAN_IMPORT_FROM: importFrom.join(":"),
      SAMPAN_LOG: "info",
    };
  }

  async #lastWords(): Promise<string> {
    const log = await readFile(this.logPath, "utf8").catch(() => "");
    const { exitCode, signalCode } = this.#process ?? {};
    return `the ${this.#options.name} server does not start (${exitCode ?? signalCode ?? "it still runs"}):\n${log.slice(-LOG_SHOWN)}`;
  }

  /** What the server itself found wrong, newest last: the log goes away with the story. */
  async #loggedErrors(): Promise<string> {
    const lines = (await readFile(this.logPath, "utf8").catch(() => "")).trimEnd().split("\n");
    const errors = lines.filter((line) => !line.startsWith("{") || /"level":[56]0/.test(line));
    return errors.join("\n").slice(-LOG_SHOWN);
  }

  /** `kill -9`: no goodbye, nothing is flushed. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    const alive = await untilGone([child.pid], STOP_WITHIN_MS);
    if (alive.length === 0) return;
    child.kill("SIGKILL");
    throw new Error(
      `the ${this.#options.name} server did not end within ${STOP_WITHIN_MS / 1000} s of ${signal}`,
    );
  }

  /** One command line of `sampan`, with `--json`, whatever comes of it. */
  async cli(words: readonly string[], options: { readonly stdin?: string } = {}): Promise<Ended> {
    const command = [process.execPath, join(REPOSITORY, "apps/cli/src/main.ts"), "--json", "--yes", ...words];
    return await runToEnd(this.place.command(command), {
      cwd: this.#story.path,
      env: {
        ...cleanEnvironment(this.#story.id),
        HOME: this.#story.path,
        SAMPAN_CONFIG: this.#sessionPath,
        SAMPAN_SERVER: this.url,
      },
      timeoutMs: COMMAND_WITHIN_MS,
      ...options,
    });
  }

  /** A command line that must succeed; gives its result. */
  async do<T = unknown>(words: readonly string[], options: { readonly stdin?: string } = {}): Promise<T> {
    const { exitCode, stdout, stderr } = await this.cli(words, options);
    if (exitCode !== 0) {
      const command = `sampan ${words.join(" ")} (${this.#options.name})`;
      throw new Error(`${command} ended with ${exitCode}: ${stderr.trim()}\n${await this.#loggedErrors()}`);
    }
    return (stdout.trim() === "" ? undefined : JSON.parse(stdout)) as T;
  }

  /** Makes the first administrator and logs in. */
  async setUp(enterprise: string): Promise<void> {
    await this.do(["setup", "--enterprise", enterprise, "--user", "admin", "--password-stdin"], {
      stdin: `${PASSWORD}\n`,
    });
    this.#token = (JSON.parse(await readFile(this.#sessionPath, "utf8")) as { readonly token: string }).token;
  }

  /** What an engine or a tool shows the registry: an API token as the password. */
  registryLogin(): { readonly username: string; readonly password: string } {
    if (this.#token === undefined) throw new Error(`nobody logged in at the ${this.#options.name} server`);
    return { username: "admin", password: this.#token };
  }

  /** The typed client, from within the place's network; logged in after {@link setUp}. */
  client(): Client {
    return createClient({
      baseUrl: this.url,
      fetch: this.place.fetch,
      ...(this.#token === undefined ? {} : { token: this.#token }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function listeningIn(line: string): string | undefined {
  if (!line.startsWith('{"listening":')) return undefined;
  return (JSON.parse(line) as { readonly listening: string }).listening;
}
