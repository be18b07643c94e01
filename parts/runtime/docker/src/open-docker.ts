import type { Driver, ImageSource } from "@sampan/runtime";
import { Asker, type AskFrom } from "./asker.ts";
import { awaitCompletion, awaitReady } from "./await-instance.ts";
import { readCapabilities } from "./capabilities.ts";
import { Changes } from "./changes.ts";
import { createInstance } from "./create.ts";
import type { DriverContext } from "./driver-context.ts";
import { EngineClient } from "./engine-client.ts";
import { followEngine } from "./engine-events.ts";
import { EngineScope } from "./engine-scope.ts";
import { runCommand } from "./exec.ts";
import type { EngineAddress } from "./find-engine.ts";
import { ensureImage, findImage, saveImages } from "./images.ts";
import { requestInstance } from "./instance-request.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { readLogs } from "./logs.ts";
import { ensureNetwork, removeNetwork } from "./network.ts";
import { findApps, observeApp } from "./observe.ts";
import { Prober } from "./prober.ts";
import { readApp } from "./read-app.ts";
import { readVolume } from "./read-volume.ts";
import { removeInstance } from "./remove.ts";
import { serveInstance, setFrozen } from "./serve.ts";
import { StatsReader } from "./stats.ts";
import { readTakenPorts } from "./taken-ports.ts";
import { openTerminal } from "./terminal.ts";
import { sweepVolumes } from "./volume-carrier.ts";
import { ensureVolume } from "./volumes.ts";
import { watchChanges } from "./watch.ts";
import { removeVolume, writeVolume } from "./write-volume.ts";

export interface DockerOptions {
  readonly engine: EngineAddress;
  readonly images: ImageSource;
  /** Name of the Sampan installation: several may share an engine, and each sees its own only. */
  readonly site?: string;
  /** IPv4 range that app networks are taken from, a /24 each. 10.213.0.0/16 when absent. */
  readonly addressPool?: string;
  readonly clock?: () => Date;
  /** How ports of containers are asked, by probes and by `request`; found out when absent. */
  readonly askFrom?: AskFrom;
}

export interface DockerDriver extends Driver {
  readonly kind: "docker";
  /**
   * Probes all instances of the site from now on, and restarts those whose live probe fails, until `close`. What work on volumes of an
   * earlier process left behind is removed.
   */
  startProbing(): void;
}

/**
 * A driver for a Docker engine, or Podman's compatible socket. Nothing is called until it is used, so it may be opened
 * while the engine is away. Each verb throws RUNTIME_UNREACHABLE, RUNTIME_TOO_OLD, RUNTIME_TIMEOUT or RUNTIME_REFUSED
 * beside what the interface says.
 */
export function openDocker(options: DockerOptions): DockerDriver {
  const context = makeContext(options);
  const { prober, changes, scope, client } = context;
  const stats = new StatsReader(context);
  const closing = new AbortController();
  let following: Promise<void> | undefined;
  let probing = false;

  const follow = () => {
    following ??= followEngine(scope, changes, {
      signal: closing.signal,
      onConnected: async () => {
        if (probing) await takeUp(context);
      },
    });
  };

  return {
    kind: "docker",
    capabilities: (signal) => readCapabilities(context, signal),
    observe: (app, signal) => observeApp(context, app, signal),
    listApps: (signal) => findApps(context, signal),
    readApp: (id, signal) => readApp(context, id, signal),
    steps: stepsOf(context),
    findImage: (reference, signal) => findImage(context, reference, signal),
    saveImages: (imageIds, signal) => saveImages(context, imageIds, signal),
    readVolume: (volume, signal) => readVolume(context, volume, signal),
    writeVolume: (volume, tar, signal) => writeVolume(context, volume, tar, signal),
    removeVolume: (volume, signal) => removeVolume(context, volume, signal),
    takenPorts: (signal) => readTakenPorts(context, signal),
    logs: (instance, logOptions) => readLogs(context, instance, logOptions),
    async exec(instance, command, execOptions) {
      await scope.instance(instance, execOptions.signal);
      return await runCommand(client, instance.id, command, execOptions);
    },
    attach: (instance, command, size) => openTerminal(context, instance, command, size),
    restart: (instance, signal) => restartInstance(context, instance, signal),
    stats: (instance, signal) => stats.read(instance, signal),
    request: (instance, request, signal) => requestInstance(context, instance, request, signal),
    watch(signal) {
      follow();
      return watchChanges(changes, AbortSignal.any([signal, closing.signal]));
    },
    startProbing() {
      if (probing) return;
      probing = true;
      prober.keepAll();
      changes.listen((change) => void trackChange(context, change).catch(() => {}));
      follow();
      // Where the engine is away now, all are taken up once it is connected.
      void takeUp(context).catch(() => {});
    },
    async close() {
      closing.abort();
      prober.close();
      await following;
      await client.close();
    },
  };
}

function makeContext(options: DockerOptions): DriverContext {
  const client = new EngineClient(options.engine);
  const scope = new EngineScope(client, options.site);
  const changes = new Changes();
  const clock = options.clock ?? (() => new Date());
  const asker = new Asker(client, options.askFrom);
  return {
    client,
    scope,
    changes,
    clock,
    prober: new Prober(scope, changes, { asker, clock }),
    asker,
    images: options.images,
    addressPool: options.addressPool ?? "10.213.0.0/16",
    retiredAtMs: new Map(),
    working: new Set(),
    lock: new KeyedLock(),
  };
}

function stepsOf(context: DriverContext): Driver["steps"] {
  return {
    "network.ensure": (step, at) => ensureNetwork(context, step, at),
    "network.remove": (step, at) => removeNetwork(context, step, at),
    "volume.ensure": (step, at) => ensureVolume(context, step, at),
    "image.ensure": (step, at) => ensureImage(context, step, at),
    "instance.create": (step, at) => createInstance(context, step, at),
    "instance.ready": (step, at) => awaitReady(context, step, at),
    "instance.complete": (step, at) => awaitCompletion(context, step, at),
    "instance.serve": (step, at) => serveInstance(context, step, at),
    "instance.remove": (step, at) => removeInstance(context, step, at),
  };
}

async function restartInstance(
  context: DriverContext,
  instance: Parameters<Driver["restart"]>[0],
  signal: AbortSignal | undefined,
): Promise<void> {
  const container = await context.scope.instance(instance, signal);
  context.prober.untrack(container.Id);
  await context.client.call({
    method: "POST",
    path: `/containers/${container.Id}/restart`,
    what: `restart ${container.Name.slice(1)}`,
    timeoutMs: 10 * 60_000,
    signal,
  });
}

async function takeUp(context: DriverContext): Promise<void> {
  await trackAll(context);
  await sweepVolumes(context, undefined, undefined);
}

async function trackAll(context: DriverContext): Promise<void> {
  for (const { Id, State } of await context.scope.containers(undefined)) {
    // Left so by a server that ended while it took a name from an instance: see `serve.ts`.
    if (State === "paused") await setFrozen(context, Id, "unpause");
    if (State === "running" || State === "paused") await trackOne(context, Id);
  }
}

async function trackChange(
  context: DriverContext,
  change: { readonly id: string; readonly what: string },
): Promise<void> {
  if (change.what === "start") await trackOne(context, change.id);
  else if (change.what === "die") context.prober.untrack(change.id);
  else if (change.what === "destroy") context.prober.forget(change.id);
}

async function trackOne(context: DriverContext, id: string): Promise<void> {
  const container = await context.scope.inspect(id);
  if (container !== undefined) context.prober.track(container);
}
