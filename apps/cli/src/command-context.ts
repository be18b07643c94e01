import { type Client, createClient } from "@sampan/api";
import { cliProblem } from "./problems.ts";
import { readSession, type Session, sessionPath, writeSession } from "./session-file.ts";
import type { Terminal } from "./terminal.ts";

export interface GlobalOptions {
  readonly server?: string;
  readonly token?: string;
  readonly team?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly quiet?: boolean;
}

export interface Clock {
  nowMs(): number;
  /** Rejects with the signal's reason when that is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** All that a command line touches. */
export interface Outside {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

const SERVER_DEFAULT = "http://127.0.0.1:7070";

/** What every command works with: the server, who asks, and where results go. */
export class CommandContext {
  readonly terminal: Terminal;
  readonly env: Outside["env"];
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  #options: GlobalOptions;

  /** `options` hold until the command line was understood. */
  constructor(outside: Outside, options: GlobalOptions = {}) {
    this.terminal = outside.terminal;
    // A variable that is set to nothing says nothing.
    this.env = Object.fromEntries(Object.entries(outside.env ?? {}).filter(([, value]) => value !== ""));
    this.fetch = outside.fetch;
    this.clock = outside.clock;
    this.signal = outside.signal;
    this.#options = options;
  }

  setOptions(options: GlobalOptions): void {
    this.#options = options;
  }

  get json(): boolean {
    return this.#options.json === true;
  }

  /** Neither progress nor remarks are wanted. */
  get isTerse(): boolean {
    return this.json || this.#options.quiet === true;
  }

  /** Questions can be asked: a person is there, and did not agree beforehand. */
  get mayAsk(): boolean {
    return this.terminal.isInteractive && !this.json && this.#options.yes !== true;
  }

  session(): Promise<Session> {
    return readSession(sessionPath(this.env));
  }

  async saveSession(session: Session): Promise<string> {
    const path = sessionPath(this.env);
    await writeSession(path, session);
    return path;
  }

  async serverUrl(): Promise<string> {
    const given = this.#options.server ?? this.env.SAMPAN_SERVER;
    const url = given ?? (await this.session()).server ?? SERVER_DEFAULT;
    if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url))
      throw cliProblem("CLI_USAGE", `${url} is no address of a server`, {
        hint: `write it as ${SERVER_DEFAULT}`,
      });
    return url.replace(/\/+$/, "");
  }

  /** A client that carries the token of the option, the environment or the login. A login's token goes to its own server only. */
  async client(): Promise<Client> {
    const baseUrl = await this.serverUrl();
    const given = this.#options.token ?? this.env.SAMPAN_TOKEN;
    const session = given === undefined ? await this.session() : {};
    const isOwn = session.server === undefined || session.server === baseUrl;
    const token = given ?? (isOwn ? session.token : undefined);
    return createClient({ baseUrl, fetch: this.fetch, ...(token === undefined ? {} : { token }) });
  }

  teamName(): string | undefined {
    return this.#options.team ?? this.env.SAMPAN_TEAM;
  }

  /** The result: JSON when asked for, else the text. */
  result(value: unknown, text: () => string): void {
    this.terminal.out(this.json ? JSON.stringify(value ?? null, null, 2) : text());
  }

  /** One of many results that come one after the other: a line of JSON, or of text. */
  resultLine(value: unknown, text: () => string): void {
    this.terminal.out(this.json ? JSON.stringify(value) : text());
  }

  /** A remark for people; nothing with --json or --quiet. */
  remark(text: string): void {
    if (!this.isTerse && text !== "") this.terminal.err(text);
  }

  /** Goes on when the person agrees, or said --yes. */
  async confirm(question: string): Promise<void> {
    if (this.#options.yes === true) return;
    if (!this.mayAsk) {
      throw cliProblem("CLI_NOT_CONFIRMED", "this needs a yes, and nobody is there to ask", {
        why: question,
        hint: "say --yes",
      });
    }
    const answer = await this.terminal.ask(`${question} [y/N] `);
    if (!/^(y|yes|是)$/i.test(answer.trim()))
      throw cliProblem("CLI_NOT_CONFIRMED", "not done", { why: "the answer was no" });
  }

  /** Does it, and says what is left when Ctrl-C breaks in. */
  async whenInterrupted<T>(sentence: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.signal.aborted) {
        this.terminal.overwrite();
        this.remark(sentence);
      }
      throw error;
    }
  }
}
