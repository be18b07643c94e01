import type { Digest } from "@sampan/content";
import type { Observed } from "@sampan/plan";
import type { Clock } from "./clock.ts";
import type { Capabilities, Driver, ImageSource, InstanceRef, LogLine, LogOptions } from "./driver.ts";
import type { MemoryEngine } from "./memory-engine.ts";
import { dockerSaveTar, imageSizeBytes } from "./memory-image.ts";
import type { MemoryInstance } from "./memory-instance.ts";
import { generationOf, memorySteps, refuseUnreachable } from "./memory-steps.ts";
import { openMemoryTerminal } from "./memory-terminal.ts";
import { runtimeProblem } from "./problems.ts";

const MEMORY_BYTES = 8 * 1024 ** 3;
const PROGRAM_MEMORY_BYTES = 16 * 1024 ** 2;
const BODY_BYTES_MAX = 64 * 1024;

/** The driver that needs no engine: the same behaviour, by the same conformance suite, in virtual time if wished. */
export function memoryDriver(options: {
  readonly engine: MemoryEngine;
  readonly images: ImageSource;
}): Driver {
  const { engine, images } = options;
  const find = (ref: InstanceRef) => findInstance(engine, ref);
  return {
    kind: "memory",
    capabilities: async () => {
      refuseUnreachable(engine);
      return capabilitiesOf(engine);
    },
    observe: async (app) => {
      refuseUnreachable(engine);
      return observe(engine, app);
    },
    async listApps() {
      refuseUnreachable(engine);
      return [...engine.apps.values()]
        .filter((app) => app.network || app.volumes.size > 0 || app.instances.size > 0)
        .map((app) => ({
          id: app.ref.id,
          slug: app.ref.slug,
          generation: generationOf(app),
          components: [
            ...new Set([...app.instances.values()].map((one) => one.options.component.name)),
          ].sort(),
        }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    steps: memorySteps(engine, images),
    async findImage(reference) {
      refuseUnreachable(engine);
      const image = [...engine.images.values()].find(
        ({ id, names }) =>
          id === reference || names.includes(reference) || names.includes(`${reference}:latest`),
      );
      if (image === undefined) return undefined;
      const { id, names, os, architecture } = image;
      return { id, names, os, architecture, sizeBytes: imageSizeBytes(image) };
    },
    saveImages: (imageIds, signal) => saveImages(engine, imageIds, signal),
    logs: (ref, logOptions) => readLogs(engine, ref, logOptions),
    exec: async (ref, command, { timeoutMs, outputBytesMax, env, signal }) => {
      const instance = find(ref);
      signal?.throwIfAborted();
      refuseNotRunning(instance);
      const result = instance.run(command, engine.clock.now(), env);
      const takesMs = result.takesMs ?? 0;
      await engine.clock.sleep(Math.min(takesMs, timeoutMs), signal);
      if (takesMs > timeoutMs)
        throw runtimeProblem("RUNTIME_TIMEOUT", `the command did not end within ${timeoutMs} ms`, {
          why: command[0] ?? "",
        });
      return cutOutput(result, outputBytesMax);
    },
    attach: async (ref, command) => {
      const instance = find(ref);
      refuseNotRunning(instance);
      return openMemoryTerminal(command, (words) => instance.run(words, engine.clock.now()));
    },
    restart: async (ref) => find(ref).restart(engine.clock.now()),
    stats: async (ref) => {
      const { program, component } = find(ref).options;
      const limit = component.spec.limits.memoryBytes;
      return {
        at: new Date(engine.clock.now()).toISOString(),
        cpu: 0.01,
        memoryBytes: program.memoryBytes ?? PROGRAM_MEMORY_BYTES,
        ...(limit === undefined ? {} : { memoryLimitBytes: limit }),
        networkReceivedBytes: 0,
        networkSentBytes: 0,
        processes: 1,
      };
    },
    request: async (ref, request, signal) => {
      signal?.throwIfAborted();
      const reply = find(ref).reply(request, engine.clock.now());
      if (reply === undefined)
        throw runtimeProblem(
          "RUNTIME_NO_ANSWER",
          `nothing answers at port ${request.port} of ${ref.component}`,
        );
      return { status: reply.status, body: reply.body.slice(0, BODY_BYTES_MAX) };
    },
    watch: (signal) => watch(engine, signal),
    close: async () => {},
  };
}

function capabilitiesOf(engine: MemoryEngine): Capabilities {
  return {
    engine: "memory",
    engineVersion: "1",
    apiVersion: "1.41",
    os: "linux",
    architecture: engine.architecture,
    kernel: "6.1.0",
    cpus: 4,
    memoryBytes: MEMORY_BYTES,
    storage: "memory",
    rollingReplace: true,
    terminal: true,
    limits: false,
  };
}

function observe(
  engine: MemoryEngine,
  { id, images }: { readonly id: string; readonly images: readonly Digest[] },
): Observed {
  const app = engine.apps.get(id);
  const now = engine.clock.now();
  return {
    at: new Date(now).toISOString(),
    complete: true,
    remarks: [],
    generation: generationOf(app),
    network: app?.network ?? false,
    volumes: [...(app?.volumes.keys() ?? [])].map((key) => {
      const [owner = "", volume = ""] = key.split("/");
      return { owner, volume };
    }),
    images: images.filter((image) => engine.images.has(image)),
    instances: [...(app?.instances.values() ?? [])].map((one) => one.observed(now)),
  };
}

function findInstance(engine: MemoryEngine, ref: InstanceRef): MemoryInstance {
  refuseUnreachable(engine);
  const instance = engine.apps.get(ref.app)?.instances.get(ref.id);
  if (instance === undefined)
    throw runtimeProblem("RUNTIME_ABSENT", `the instance of ${ref.component} does not exist any more`, {
      hint: "look again",
    });
  instance.advance(engine.clock.now());
  return instance;
}

function refuseNotRunning(instance: MemoryInstance): void {
  if (!instance.running)
    throw runtimeProblem("RUNTIME_REFUSED", "the instance does not run", {
      why: `it is ${instance.state}`,
    });
}

async function* saveImages(
  engine: MemoryEngine,
  imageIds: readonly Digest[],
  signal: AbortSignal | undefined,
) {
  refuseUnreachable(engine);
  signal?.throwIfAborted();
  const images = imageIds.map((id) => {
    const image = engine.images.get(id);
    if (image?.content === undefined)
      throw runtimeProblem("RUNTIME_IMAGE_ABSENT", "an image cannot be saved", {
        why: image === undefined ? `the engine does not have ${id}` : `${id} has no content in memory`,
      });
    return image;
  });
  const tar = dockerSaveTar(images);
  const pieceBytes = 64 * 1024;
  for (let at = 0; at < tar.length; at += pieceBytes) {
    signal?.throwIfAborted();
    yield tar.subarray(at, at + pieceBytes);
  }
}

async function* readLogs(
  engine: MemoryEngine,
  ref: InstanceRef,
  { follow, tail, since, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const instance = findInstance(engine, ref);
  const told = instance.log.filter((line) => since === undefined || line.at >= since);
  let last = instance.log.at(-1);
  yield* tail === undefined ? told : told.slice(Math.max(0, told.length - tail));
  while (follow && signal?.aborted !== true) {
    instance.advance(engine.clock.now());
    // The log is cut at its beginning, so the place is found again by the line itself.
    const fresh = instance.log.slice(last === undefined ? 0 : instance.log.lastIndexOf(last) + 1);
    last = fresh.at(-1) ?? last;
    yield* fresh;
    if (fresh.length > 0) continue;
    const gone = !engine.apps.get(ref.app)?.instances.has(ref.id);
    if (gone || (!instance.running && instance.nextAt("life") === undefined)) return;
    if (!(await changeOf(engine, ref, { until: instance.nextAt("life"), signal }))) return;
  }
}

/** Waits for a change of an instance, or until a time; false when the signal aborted. */
async function changeOf(
  engine: MemoryEngine,
  ref: InstanceRef,
  { until, signal }: { readonly until: number | undefined; readonly signal: AbortSignal | undefined },
): Promise<boolean> {
  const stop = new AbortController();
  const waking = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  const forget = engine.onChange((change) => {
    if (change.app === ref.app && change.component === ref.component) stop.abort();
  });
  await sleepUntil(engine.clock, until, waking);
  forget();
  return signal?.aborted !== true;
}

async function* watch(engine: MemoryEngine, signal: AbortSignal) {
  const changes: { readonly app: string; readonly component?: string; readonly what: string }[] = [];
  let wake = new AbortController();
  const forget = engine.onChange((change) => {
    changes.push(change);
    wake.abort();
  });
  try {
    while (!signal.aborted) {
      yield* changes.splice(0);
      if (changes.length > 0) continue;
      wake = new AbortController();
      const nextAt = engine.pace === "watched" ? engine.nextAt() : undefined;
      await sleepUntil(engine.clock, nextAt, AbortSignal.any([wake.signal, signal]));
      if (engine.pace === "watched") engine.advance();
    }
  } finally {
    forget();
  }
}

/** Sleeps until a time (undefined: for ever) or until the signal aborts, whichever is first. */
async function sleepUntil(clock: Clock, until: number | undefined, waking: AbortSignal): Promise<void> {
  if (until === undefined) {
    if (!waking.aborted)
      await new Promise((resolve) => waking.addEventListener("abort", resolve, { once: true }));
    return;
  }
  try {
    await clock.sleep(until - clock.now(), waking);
  } catch (error) {
    if (!waking.aborted) throw error;
  }
}

function cutOutput(
  result: { readonly exitCode: number; readonly stdout?: string; readonly stderr?: string },
  outputBytesMax: number,
) {
  const stdout = Buffer.from(result.stdout ?? "");
  const stderr = Buffer.from(result.stderr ?? "");
  const left = Math.max(0, outputBytesMax - stdout.length);
  return {
    exitCode: result.exitCode,
    stdout: stdout.subarray(0, outputBytesMax).toString(),
    stderr: stderr.subarray(0, left).toString(),
    truncated: stdout.length + stderr.length > outputBytesMax,
  };
}
