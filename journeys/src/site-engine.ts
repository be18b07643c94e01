import type { ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cleanEnvironment } from "./clean-environment.ts";
import { Courier } from "./courier-fetch.ts";
import { askEngineForText, removeAllContainers } from "./engine-api.ts";
import { NetworkNamespace } from "./network-namespace.ts";
import type { Place } from "./place.ts";
import { Hopeless, startLogged, until, untilGone } from "./processes.ts";
import type { StoryFolder } from "./story-folder.ts";

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 40_000;

/**
 * The offline side: a second dockerd with its own data, in a network namespace that has loopback and no route. It is
 * empty, and nothing can be pulled into it but from what runs beside it in that namespace.
 */
export class SiteEngine implements Place, AsyncDisposable {
  readonly name = "site";
  readonly dockerHost: string;
  readonly #story: StoryFolder;
  readonly #folder: string;
  readonly #network: NetworkNamespace;
  readonly #courier: Courier;
  #daemon: ChildProcess | undefined;

  private constructor(story: StoryFolder, network: NetworkNamespace) {
    this.#story = story;
    this.#network = network;
    this.#folder = join(story.path, "engine");
    this.dockerHost = `unix://${join(this.#folder, "docker.sock")}`;
    this.#courier = new Courier((words) => this.command(words), cleanEnvironment(story.id));
  }

  static async start(story: StoryFolder): Promise<SiteEngine> {
    const engine = new SiteEngine(story, await NetworkNamespace.create(story.id));
    await engine.startDaemon();
    return engine;
  }

  command(words: readonly string[]): readonly string[] {
    return this.#network.command(words);
  }

  get fetch(): typeof globalThis.fetch {
    return this.#courier.fetch;
  }

  /** Also after {@link stopDaemon}: what the engine held is there again. */
  async startDaemon(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    // In place of the machine's own settings, which might name the same folders or another registry.
    await writeFile(join(this.#folder, "daemon.json"), "{}\n");
    const logPath = join(this.#folder, "dockerd.log");
    const logFd = openSync(logPath, "a");
    const command = this.command(["dockerd", ...this.#flags()]);
    const daemon = startLogged(command, { logFd, env: cleanEnvironment(this.#story.id) });
    closeSync(logFd);
    this.#daemon = daemon;
    const answers = until("the site's engine answers", READY_WITHIN_MS, async () => {
      if (daemon.exitCode !== null) throw new Hopeless(`dockerd ended with ${daemon.exitCode}`);
      return await askEngineForText(this.dockerHost, "/_ping", { timeoutMs: 2_000 });
    });
    await answers.catch(async (error: unknown) => {
      const log = await readFile(logPath, "utf8").catch(() => "");
      throw new Error(`the site's engine does not start:\n${log.slice(-3_000)}`, { cause: error });
    });
  }

  #flags(): readonly string[] {
    const { id } = this.#story;
    return [
      ...["--data-root", join(this.#folder, "data"), "--exec-root", join(this.#folder, "run")],
      ...["--pidfile", join(this.#folder, "pid"), "--host", this.dockerHost],
      ...["--containerd-namespace", id, "--containerd-plugins-namespace", `${id}-plugins`],
      ...["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", `/${id}`],
      ...["--config-file", join(this.#folder, "daemon.json"), "--shutdown-timeout", "10"],
    ];
  }

  /** As when somebody stops the engine's service: containers are stopped with it. */
  async stopDaemon(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon?.pid === undefined) return;
    daemon.kill("SIGTERM");
    const alive = await untilGone([daemon.pid], STOP_WITHIN_MS);
    if (alive.length > 0) throw new Error(`the site's engine, process ${daemon.pid}, does not stop`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeAllContainers(this.dockerHost).catch(() => undefined);
    await this.#courier.close();
    await this.stopDaemon();
  }
}
