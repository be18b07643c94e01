import type { DesiredComponent, DriverStepKind, StepOf } from "@sampan/plan";
import { Bug } from "@sampan/problem";
import type { Driver, ImageSource, StepContext } from "./driver.ts";
import type { MemoryApp, MemoryEngine } from "./memory-engine.ts";
import { imageSizeBytes, type MemoryImage } from "./memory-image.ts";
import type { MemoryInstance } from "./memory-instance.ts";
import { runtimeProblem } from "./problems.ts";

/** So many restarts while one waits, and it is taken for a crash loop. */
const RESTARTS_MAX = 3;

type Verbs = Driver["steps"];
type DriverStep = StepOf<DriverStepKind>;

/** One verb per step kind, all behind the same gate: an engine that answers, a generation that is not old. */
export function memorySteps(engine: MemoryEngine, source: ImageSource): Verbs {
  const verbs: Verbs = {
    "network.ensure": async (_step, { desired }) => {
      engine.appOf(desired.app).network = true;
    },
    "volume.ensure": async ({ component, volume }, { desired }) => {
      const { volumes } = engine.appOf(desired.app);
      const key = `${component}/${volume}`;
      if (!volumes.has(key)) volumes.set(key, new Map());
    },
    "image.ensure": ({ imageId, imageName }, context) =>
      ensureImage(engine, source, { imageId, imageName, context }),
    "instance.create": async (step, { desired }) => {
      const app = engine.appOf(desired.app);
      if (findInstance(app, step) !== undefined) return;
      const component = componentOf(desired.components, step);
      const image = engine.images.get(component.spec.image.id);
      if (image === undefined) throw imageAbsent(component.spec.image.name, "the engine does not have it");
      const { index } = step;
      const serving = step.serve === "now";
      engine.createInstance(app, component, { index, generation: desired.generation, serving });
      engine.tell({ app: app.ref.id, component: component.name, what: "created" });
    },
    "instance.ready": (step, context) => waitFor(engine, { step, context, goal: "ready" }),
    "instance.complete": (step, context) => waitFor(engine, { step, context, goal: "completed" }),
    "instance.serve": async (step, { desired }) => {
      const app = engine.appOf(desired.app);
      const instance = needInstance(app, step);
      for (const other of app.instances.values())
        if (other.options.component.name === step.component && other.options.index === step.index)
          other.serving = other === instance;
      engine.tell({ app: app.ref.id, component: step.component, what: "serves" });
    },
    "instance.remove": async ({ component, instanceId }, { desired }) => {
      const app = engine.appOf(desired.app);
      app.instances.get(instanceId)?.stop(engine.clock.now());
      if (app.instances.delete(instanceId)) engine.tell({ app: app.ref.id, component, what: "removed" });
    },
    "network.remove": async (_step, { desired }) => {
      const app = engine.appOf(desired.app);
      if (app.instances.size > 0)
        throw runtimeProblem("RUNTIME_REFUSED", "cannot remove the network", {
          why: "instances still use it",
        });
      app.network = false;
      if (app.volumes.size === 0) engine.apps.delete(app.ref.id);
    },
  };
  return gated(engine, verbs);
}

function gated(engine: MemoryEngine, verbs: Verbs): Verbs {
  const gate = async (step: DriverStep, context: StepContext, verb: () => Promise<void>): Promise<void> => {
    context.signal.throwIfAborted();
    refuseUnreachable(engine);
    await engine.onStep?.(step, "before");
    context.signal.throwIfAborted();
    const newest = generationOf(engine.apps.get(context.desired.app.id));
    if (context.desired.generation < newest)
      throw runtimeProblem("RUNTIME_STALE", "the step belongs to an older generation", {
        why: `generation ${newest} runs, and this is of generation ${context.desired.generation}`,
        hint: "make a new plan",
      });
    await verb();
    await engine.onStep?.(step, "after");
  };
  const entries = Object.entries(verbs) as [
    DriverStepKind,
    (step: DriverStep, context: StepContext) => Promise<void>,
  ][];
  return Object.fromEntries(
    entries.map(([kind, verb]) => [
      kind,
      (step: DriverStep, context: StepContext) => gate(step, context, () => verb(step, context)),
    ]),
  ) as unknown as Verbs;
}

export function refuseUnreachable(engine: MemoryEngine): void {
  if (engine.unreachable)
    throw runtimeProblem("RUNTIME_UNREACHABLE", "the container engine does not answer", {
      hint: "start the engine; what was begun goes on once it answers",
    });
}

/** The newest generation that anything of the app carries; 0 when nothing does. */
export function generationOf(app: MemoryApp | undefined): number {
  let newest = 0;
  for (const one of app?.instances.values() ?? []) newest = Math.max(newest, one.options.generation);
  return newest;
}

interface InstanceKey {
  readonly component: string;
  readonly index: number;
  readonly specDigest: string;
}

function findInstance(app: MemoryApp, key: InstanceKey): MemoryInstance | undefined {
  for (const one of app.instances.values()) {
    const { component, index } = one.options;
    if (component.name === key.component && index === key.index && component.specDigest === key.specDigest)
      return one;
  }
  return undefined;
}

function needInstance(app: MemoryApp, key: InstanceKey): MemoryInstance {
  const instance = findInstance(app, key);
  if (instance !== undefined) return instance;
  throw runtimeProblem("RUNTIME_ABSENT", `${key.component} ${key.index} does not exist`, {
    hint: "make a new plan",
  });
}

function componentOf(components: readonly DesiredComponent[], key: InstanceKey): DesiredComponent {
  const component = components.find((one) => one.name === key.component);
  if (component?.specDigest !== key.specDigest)
    throw new Bug(`the step for ${key.component} is of another desired`);
  return component;
}

async function waitFor(
  engine: MemoryEngine,
  {
    step,
    context,
    goal,
  }: {
    readonly step: InstanceKey & { readonly timeoutMs: number };
    readonly context: StepContext;
    readonly goal: "ready" | "completed";
  },
): Promise<void> {
  const name = `${step.component} ${step.index}`;
  const deadline = engine.clock.now() + step.timeoutMs;
  const first = needInstance(engine.appOf(context.desired.app), step);
  const restartsBefore = first.observed(engine.clock.now()).restarts;
  for (;;) {
    refuseUnreachable(engine);
    const instance = needInstance(engine.appOf(context.desired.app), step);
    const now = engine.clock.now();
    const seen = instance.observed(now);
    if (seen.state === goal) return;
    const nextAt = instance.nextAt();
    const looping = seen.restarts - restartsBefore >= RESTARTS_MAX;
    if (looping || (nextAt === undefined && !instance.running))
      throw runtimeProblem("RUNTIME_INSTANCE_FAILED", `${name} ${looping ? "keeps failing" : "failed"}`, {
        why: seen.message ?? `it is ${seen.state}`,
        hint: `read its log: sampan logs ${step.component}`,
      });
    if (now >= deadline)
      throw runtimeProblem("RUNTIME_NOT_READY", `${name} is not ${goal} after ${step.timeoutMs} ms`, {
        why: seen.message ?? `it is ${seen.state}`,
        hint: `read its log (sampan logs ${step.component}), or give it more time (startWithin)`,
      });
    await engine.clock.sleep(Math.min(nextAt ?? deadline, deadline) - now, context.signal);
  }
}

async function ensureImage(
  engine: MemoryEngine,
  source: ImageSource,
  {
    imageId,
    imageName,
    context,
  }: {
    readonly imageId: MemoryImage["id"];
    readonly imageName: string;
    readonly context: StepContext;
  },
): Promise<void> {
  if (engine.images.has(imageId)) return;
  const from = await source.pullReference(imageId);
  if (from === undefined) throw imageAbsent(imageName, "it is neither in the engine nor in the hold");
  const image =
    engine.pull === undefined
      ? { id: imageId, names: [imageName], os: "linux", architecture: engine.architecture }
      : await engine.pull({ imageId, ...from });
  context.signal.throwIfAborted();
  if (image === undefined) throw imageAbsent(imageName, "the registry does not have it");
  if (image.id !== imageId)
    throw runtimeProblem("RUNTIME_IMAGE_MISMATCH", `${imageName} is not the image that was asked for`, {
      why: `${imageId} was asked for, and ${image.id} came`,
    });
  if (image.architecture !== engine.architecture)
    throw runtimeProblem("RUNTIME_WRONG_ARCHITECTURE", `${imageName} does not run here`, {
      why: `it is made for ${image.architecture}, and this machine is ${engine.architecture}`,
      hint: `export the release for ${engine.architecture}`,
    });
  const size = imageSizeBytes(image);
  context.onProgress({ stage: "pull", done: size, total: size, note: imageName });
  engine.images.set(imageId, image);
}

function imageAbsent(name: string, why: string) {
  return runtimeProblem("RUNTIME_IMAGE_ABSENT", `image ${name} is absent`, {
    why,
    hint: "import the bundle that carries it, or build or push it",
  });
}
