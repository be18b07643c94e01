import type { Bytes, Digest, OnProgress } from "@sampan/content";
import type { DesiredComponent, Plan, Step, StepKind, StepOf } from "@sampan/plan";
import { Bug, describeError, isProblem } from "@sampan/problem";
import type { InstanceRef, StepContext, VolumeRef } from "@sampan/runtime";
import type { DataSnapshotVolume } from "@sampan/store";
import { completeSnapshot, protectVolume, usableSnapshot } from "./data-content.ts";
import { desiredOf } from "./desired-of.ts";
import { dropOldSnapshots } from "./drop-old-snapshots.ts";
import { heldVolume } from "./held-volume.ts";
import { isRepeatable } from "./move-rollout.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

type DataStepKind = Extract<StepKind, `data.${string}`>;
type DataStep = { [K in DataStepKind]: StepOf<K> }[DataStepKind];

export function isDataStep(step: Step): step is DataStep {
  return step.kind.startsWith("data.");
}

/** The steps between a driver's volumes and the hold. Each may be begun again after it was cut off. */
export async function carryOutData(
  parts: Parts,
  plan: Plan,
  step: DataStep,
  context: StepContext,
): Promise<void> {
  switch (step.kind) {
    case "data.capture":
      return await capture(parts, plan, step, context);
    case "data.restore":
      return await restore(parts, step, context);
    case "data.resume":
      return await resume(parts, step, context);
  }
}

async function capture(
  parts: Parts,
  plan: Plan,
  step: StepOf<"data.capture">,
  context: StepContext,
): Promise<void> {
  const snapshot = await parts.store.dataSnapshots.get(step.snapshotId);
  if (snapshot.state === "failed")
    throw deliveryProblem("DATA_SNAPSHOT_UNUSABLE", "the data snapshot has failed already", {
      why: snapshot.message ?? "it failed",
    });
  const component = await asItRuns(parts, step, context);
  const isMissing = (volume: string) =>
    !snapshot.volumes.some((one) => one.component === component.name && one.volume === volume);
  const missing = snapshot.state === "complete" ? [] : step.volumes.filter(isMissing);
  if (missing.length > 0 && step.live) await captureLive(parts, { step, component, context });
  else
    for (const volume of missing)
      await parts.store.dataSnapshots.addVolume(
        step.snapshotId,
        await readVolume(parts, { step, component, context }, volume),
      );
  if (await completeSnapshot(parts, plan, step.snapshotId)) await dropOldSnapshots(parts, snapshot.appId);
}

/** Captured is what was there before the change: who owned it, and what brings it to rest, says the desired of before. */
async function asItRuns(
  parts: Parts,
  { component: name, index }: StepOf<"data.capture">,
  context: StepContext,
): Promise<DesiredComponent> {
  const { desired, signal } = context;
  const component = componentOf(context, name);
  const generation = desired.generation - 1;
  const last = await desiredOf(parts, { id: desired.app.id, generation });
  const before = last?.components.find((one) => one.name === name);
  if (before?.data === undefined) return component;
  const { instances } = await parts.driver.observe({ id: desired.app.id, images: [] }, signal);
  const isAsDesired = instances.some(
    (one) => one.component === name && one.index === index && one.specDigest === component.specDigest,
  );
  return isAsDesired ? { ...component, id: before.id } : before;
}

interface Capturing {
  readonly step: StepOf<"data.capture">;
  readonly component: DesiredComponent;
  readonly context: StepContext;
}

/**
 * Volumes that are captured between one `before` and its `after` belong together: they are noted together, after all went well, so
 * that those of an attempt that was cut off are never mixed with those of the next.
 */
async function captureLive(parts: Parts, capturing: Capturing): Promise<void> {
  const { step, component, context } = capturing;
  const instance = await readyInstance(parts, context, { component, index: step.index ?? 1 });
  if (instance === undefined)
    throw deliveryProblem("DATA_COMMAND_FAILED", `the data of ${component.name} cannot be captured`, {
      why: `its command \`before\` runs in instance ${step.index ?? 1}, which is not ready`,
      hint: "look at its log; a component that is stopped is captured as it is",
    });
  const volumes: DataSnapshotVolume[] = [];
  await betweenCommands(parts, { instance, ...capturing }, async () => {
    for (const volume of step.volumes) volumes.push(await readVolume(parts, capturing, volume));
  });
  await parts.store.transaction(async (nouns) => {
    for (const volume of volumes) await nouns.dataSnapshots.addVolume(step.snapshotId, volume);
  });
}

async function betweenCommands(
  parts: Parts,
  at: Capturing & { readonly instance: InstanceRef },
  work: () => Promise<void>,
): Promise<void> {
  const { instance, component, step, context } = at;
  const { before, after } = component.data ?? {};
  const outcome = await (async () => {
    const limit = { timeoutMs: step.timeoutMs, signal: context.signal };
    if (before !== undefined) await runCommand(parts, { instance, component, what: "before" }, before, limit);
    await work();
  })().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // Whatever happened, even when the server is about to stop: else it would stay as `before` left it.
  const limit = { timeoutMs: AFTER_TIMEOUT_MS, signal: AbortSignal.timeout(AFTER_TIMEOUT_MS) };
  try {
    if (after !== undefined) await runCommand(parts, { instance, component, what: "after" }, after, limit);
  } catch (error) {
    if (outcome === undefined) throw error;
    if (!isProblem(outcome.error) || isRepeatable(outcome.error)) throw outcome.error;
    throw deliveryProblem("DATA_COMMAND_FAILED", describeError(outcome.error), {
      why: `and then ${describeError(error)}`,
      hint: `look whether ${component.name} still works: its data may still be at rest`,
      cause: outcome.error,
    });
  }
  if (outcome !== undefined) throw outcome.error;
}

/** A step that was aborted leaves this long for undoing what it began. */
const AFTER_TIMEOUT_MS = 60_000;

async function readVolume(
  parts: Parts,
  { step, component, context }: Capturing,
  volume: string,
): Promise<DataSnapshotVolume> {
  const ref = await volumeRef(parts, { component: component.name, volume }, context);
  const { diffId, size } = await parts.hold.captureLayer(parts.driver.readVolume(ref, context.signal), {
    signal: context.signal,
    onProgress: ({ stage, ...far }) => context.onProgress({ stage: `${stage} ${volume}`, ...far }),
  });
  await protectVolume(parts, step.snapshotId, { diffId, size });
  return { component: component.name, componentId: component.id, volume, diffId, sizeBytes: size };
}

async function restore(parts: Parts, step: StepOf<"data.restore">, context: StepContext): Promise<void> {
  const snapshot = await usableSnapshot(parts, step.snapshotId);
  const component = context.desired.components.find((one) => one.name === step.component);
  for (const volume of step.volumes) {
    const held = heldVolume(snapshot, { name: step.component, id: component?.id }, volume);
    if (held === undefined)
      throw deliveryProblem(
        "DATA_SNAPSHOT_UNUSABLE",
        `the volume ${volume} of ${step.component} cannot be put back`,
        {
          why: `it is not in the data snapshot ${snapshot.id}`,
          hint: "choose another: sampan snapshot list",
        },
      );
    const ref = await volumeRef(parts, { component: step.component, volume }, context);
    const tar = counted(parts.hold.read(held.diffId), held, context.onProgress);
    await parts.driver.writeVolume(ref, tar, context.signal);
  }
}

async function* counted(
  source: Bytes,
  { volume, sizeBytes }: DataSnapshotVolume,
  onProgress: OnProgress,
): Bytes {
  let done = 0;
  for await (const chunk of source) {
    yield chunk;
    done += chunk.byteLength;
    onProgress({ stage: `write ${volume}`, done, total: sizeBytes });
  }
}

async function resume(parts: Parts, step: StepOf<"data.resume">, context: StepContext): Promise<void> {
  const component = componentOf(context, step.component);
  const command = component.data?.restored;
  if (command === undefined) throw new Bug(`${component.name} has no command to take up data with`);
  const { specDigest } = component;
  const instance = await readyInstance(parts, context, { component, index: step.index, specDigest });
  if (instance === undefined)
    throw deliveryProblem("DATA_COMMAND_FAILED", `${component.name} cannot take up its data`, {
      why: `its command \`restored\` runs in instance ${step.index}, which is not ready`,
      hint: `read its log: sampan logs ${component.name}`,
    });
  const limit = { timeoutMs: step.timeoutMs, signal: context.signal };
  await runCommand(parts, { instance, component, what: "restored" }, command, limit);
}

const OUTPUT_BYTES_MAX = 64 * 1024;
const TAIL_LENGTH = 500;

async function runCommand(
  parts: Parts,
  at: {
    readonly instance: InstanceRef;
    readonly component: DesiredComponent;
    readonly what: "before" | "after" | "restored";
  },
  command: readonly string[],
  limit: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { exitCode, stdout, stderr } = await parts.driver.exec(at.instance, command, {
    ...limit,
    outputBytesMax: OUTPUT_BYTES_MAX,
  });
  if (exitCode === 0) return;
  const said = masked(`${stdout}\n${stderr}`.trim(), at.component);
  const why = said === "" ? "it said nothing" : said.slice(-TAIL_LENGTH);
  throw deliveryProblem(
    "DATA_COMMAND_FAILED",
    `the command \`${at.what}\` of ${at.component.name} ended with exit code ${exitCode}`,
    { why, hint: `mend it under components.${at.component.name}.snapshot, or look at the log` },
  );
}

function masked(text: string, { spec }: DesiredComponent): string {
  const secrets = spec.secretEnv.map((name) => spec.env[name] ?? "").filter((value) => value !== "");
  return secrets.reduce((all, secret) => all.replaceAll(secret, "******"), text);
}

/** The one that answers, where there are two while one takes the other's place; or the one of a specification. */
async function readyInstance(
  parts: Parts,
  { desired, signal }: StepContext,
  wanted: { readonly component: DesiredComponent; readonly index: number; readonly specDigest?: Digest },
): Promise<InstanceRef | undefined> {
  const { component, index, specDigest } = wanted;
  const seen = await parts.driver.observe({ id: desired.app.id, images: [] }, signal);
  const found = seen.instances
    .filter((one) => one.component === component.name && one.index === index && one.state === "ready")
    .find((one) => (specDigest === undefined ? one.serving : one.specDigest === specDigest));
  return found === undefined ? undefined : { app: desired.app.id, component: component.name, id: found.id };
}

function componentOf({ desired }: StepContext, name: string): DesiredComponent {
  const component = desired.components.find((one) => one.name === name);
  if (component === undefined) throw new Bug(`a data step names ${name}, which is not desired`);
  return component;
}

async function volumeRef(
  parts: Parts,
  of: { readonly component: string; readonly volume: string },
  context: StepContext,
): Promise<VolumeRef> {
  return { app: context.desired.app, ...of, imageId: await imageInEngine(parts, of.component, context) };
}

const IMAGE_TIMEOUT_MS = 3_600_000;

/** The component's own image, or any of the app that the engine has; one is brought when it has none. */
async function imageInEngine(parts: Parts, component: string, context: StepContext): Promise<Digest> {
  const images = context.desired.components
    .toSorted((a, b) => Number(b.name === component) - Number(a.name === component))
    .map((one) => one.spec.image);
  for (const { id } of images)
    if ((await parts.driver.findImage(id, context.signal)) !== undefined) return id;
  const [image] = images;
  if (image === undefined) throw new Bug("an app without components has no data steps");
  const step = { id: "s0", needs: [], why: "a volume is reached through it", timeoutMs: IMAGE_TIMEOUT_MS };
  const wanted = { kind: "image.ensure", imageId: image.id, imageName: image.name } as const;
  await parts.driver.steps["image.ensure"]({ ...step, ...wanted }, context);
  return image.id;
}
