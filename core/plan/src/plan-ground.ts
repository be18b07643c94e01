import type { DesiredComponent, InstanceSpec } from "./desired.ts";
import type { Planning } from "./planner.ts";
import type { Treatment } from "./slot-rules.ts";
import { STEP_TIMEOUT_MS } from "./step-list.ts";

const CREATES: Readonly<Record<Treatment, boolean>> = {
  keep: false,
  hold: false,
  wait: false,
  create: true,
  join: true,
  "take-over": false,
  roll: true,
  "stop-start": true,
};

/** Components of which something will be started. */
export function startingComponents(planning: Planning): readonly DesiredComponent[] {
  return planning.components.filter((component) => startsSomething(planning, component));
}

/** What instances of these stand on, where it is absent: the network, then volumes, then images. */
export function ensureGround(planning: Planning, starting: readonly DesiredComponent[]): void {
  if (starting.length > 0) ensureNetwork(planning);
  for (const component of starting) ensureVolumes(planning, component);
  for (const component of starting) ensureImage(planning, component.spec.image);
}

function startsSomething(planning: Planning, component: DesiredComponent): boolean {
  // A cron component's image is brought now, so that its run does not have to wait for it.
  if (component.kind === "cron") return true;
  return (planning.judged.get(component.name) ?? []).some((judged) => CREATES[judged.treatment]);
}

function ensureNetwork(planning: Planning): void {
  if (planning.observed.network) return;
  const step = planning.list.add(
    { kind: "network.ensure" },
    { needs: [], why: "the app has no network yet", timeoutMs: STEP_TIMEOUT_MS.network },
  );
  planning.ground.set("network", step);
}

function ensureVolumes(planning: Planning, component: DesiredComponent): void {
  for (const mount of component.spec.mounts) {
    if (mount.kind !== "volume") continue;
    const key = volumeKey(mount.owner, mount.volume);
    if (planning.ground.has(key) || planning.volumesSeen.has(key)) continue;
    const step = planning.list.add(
      { kind: "volume.ensure", component: mount.owner, volume: mount.volume },
      { needs: [], why: "it does not exist yet", timeoutMs: STEP_TIMEOUT_MS.volume },
    );
    planning.ground.set(key, step);
  }
}

function ensureImage(planning: Planning, image: InstanceSpec["image"]): void {
  if (planning.ground.has(image.id) || planning.imagesSeen.has(image.id)) return;
  const step = planning.list.add(
    { kind: "image.ensure", imageId: image.id, imageName: image.name },
    { needs: [], why: "the engine does not have it", timeoutMs: STEP_TIMEOUT_MS.image },
  );
  planning.ground.set(image.id, step);
}

/** The steps that bring what an instance of the component stands on. */
export function groundOf(planning: Planning, component: DesiredComponent): readonly string[] {
  const keys = [
    "network",
    ...component.spec.mounts.flatMap((mount) =>
      mount.kind === "volume" ? [volumeKey(mount.owner, mount.volume)] : [],
    ),
    component.spec.image.id,
  ];
  return keys.flatMap((key) => planning.ground.get(key) ?? []);
}

export function volumeKey(owner: string, volume: string): string {
  return `${owner}/${volume}`;
}
