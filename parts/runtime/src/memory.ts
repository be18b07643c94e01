import type { Digest } from "@sampan/content";
import type { Observed } from "@sampan/plan";
import type { Capabilities, Driver, ImageSource } from "./driver.ts";
import type { MemoryEngine } from "./memory-engine.ts";
import { dockerSaveTar, imageSizeBytes } from "./memory-image.ts";
import { insideVerbs, sleepUntil } from "./memory-inside.ts";
import { generationOf, memorySteps, refuseUnreachable } from "./memory-steps.ts";
import { volumeVerbs } from "./memory-volumes.ts";
import { runtimeProblem } from "./problems.ts";
import { leadingInstances, type RunningApp, runningApp } from "./running-app.ts";

const MEMORY_BYTES = 8 * 1024 ** 3;

/** The driver that needs no engine: the same behaviour, by the same conformance suite, in virtual time if wished. */
export function memoryDriver(options: {
  readonly engine: MemoryEngine;
  readonly images: ImageSource;
}): Driver {
  const { engine, images } = options;
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
    async readApp(id) {
      refuseUnreachable(engine);
      return readApp(engine, id);
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
    ...volumeVerbs(engine),
    ...insideVerbs(engine),
    watch: (signal) => watch(engine, signal),
    close: async () => {},
  };
}

function readApp(engine: MemoryEngine, id: string): RunningApp | undefined {
  const app = engine.apps.get(id);
  if (app === undefined) return undefined;
  const instances = [...app.instances.values()].map(({ options, serving }) => ({
    ...options,
    spec: options.component,
    component: options.component.name,
    serving,
  }));
  return runningApp({
    app: app.ref,
    generation: generationOf(app),
    components: leadingInstances(instances).map(({ leader, replicas }) => ({ ...leader.spec, replicas })),
    remarks: [],
  });
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
