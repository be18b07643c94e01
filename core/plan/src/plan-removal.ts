import type { DesiredComponent } from "./desired.ts";
import type { ObservedInstance } from "./observed.ts";
import { volumeKey } from "./plan-ground.ts";
import type { Planning } from "./planner.ts";
import { STEP_TIMEOUT_MS } from "./step-list.ts";

/** For instances of components of which nothing is known any more. */
const GRACE_MS = 10_000;

/** Adds the step that removes an instance; once, however often it is asked for. */
export function removeInstance(
  planning: Planning,
  instance: ObservedInstance,
  options: { readonly needs: readonly string[]; readonly why: string },
): string {
  const known = planning.removals.get(instance.id);
  if (known !== undefined) return known;
  const graceMs = planning.byName.get(instance.component)?.spec.stopGraceMs ?? GRACE_MS;
  const { component, index, id: instanceId } = instance;
  const step = planning.list.add(
    { kind: "instance.remove", component, index, instanceId, graceMs },
    { ...options, timeoutMs: graceMs + STEP_TIMEOUT_MS.remove },
  );
  planning.removals.set(instance.id, step);
  return step;
}

/** Removes instances past the wanted number, the highest first, once those that stay are ready. */
export function removeSurplus(planning: Planning, component: DesiredComponent): void {
  if (component.kind === "cron") return;
  const instances = planning.instancesOf.get(component.name) ?? [];
  const surplus = instances.filter((one) => one.index > component.replicas).sort(byIndexDown);
  if (surplus.length === 0) return;
  if (!planning.observed.complete) {
    planning.notes.push({ component: component.name, text: NOT_SEEN_WHOLE });
    return;
  }
  const stopped = component.replicas === 0;
  const needs = stopped ? removalsOfUsers(planning, component) : (planning.ends.get(component.name) ?? []);
  const why = stopped
    ? "it is stopped: 0 replicas are desired"
    : `only ${component.replicas} of it is desired`;
  for (const instance of surplus) removeInstance(planning, instance, { needs, why });
}

/** Removes instances of components that are not desired any more, after all that changes is ready. */
export function removeGone(planning: Planning): void {
  const gone = planning.observed.instances.filter((one) => !planning.byName.has(one.component));
  if (!planning.observed.complete && gone.length > 0) {
    for (const name of new Set(gone.map((one) => one.component)))
      planning.notes.push({ component: name, text: NOT_SEEN_WHOLE });
    return;
  }
  const ends = [...planning.ends.values()].flat();
  for (const instance of gone.sort(byComponentThenIndexDown))
    removeInstance(planning, instance, { needs: ends, why: "its component is no longer part of the app" });
  noteVolumes(planning);
}

/** Removes every instance, those that need others before these, then the network. */
export function removeApp(planning: Planning): void {
  if (!planning.observed.complete) {
    planning.notes.push({ text: NOT_SEEN_WHOLE });
    return;
  }
  const why = "the app is removed";
  for (const component of planning.components.toReversed())
    for (const instance of [...(planning.instancesOf.get(component.name) ?? [])].sort(byIndexDown))
      removeInstance(planning, instance, { needs: removalsOfUsers(planning, component), why });
  const rest = planning.observed.instances.filter((one) => !planning.byName.has(one.component));
  for (const instance of rest.sort(byComponentThenIndexDown))
    removeInstance(planning, instance, { needs: [], why });
  if (planning.observed.network)
    planning.list.add(
      { kind: "network.remove" },
      { needs: [...planning.removals.values()], why, timeoutMs: STEP_TIMEOUT_MS.network },
    );
  noteVolumes(planning);
}

const NOT_SEEN_WHOLE = "not all of the app could be seen, so nothing is removed";

function removalsOfUsers(planning: Planning, component: DesiredComponent): readonly string[] {
  const users = planning.usersOf.get(component.name) ?? [];
  return users.flatMap((user) =>
    (planning.instancesOf.get(user) ?? []).flatMap((instance) => planning.removals.get(instance.id) ?? []),
  );
}

/** Volumes are never removed by a plan; those that nothing uses are named, so that nobody forgets them. */
function noteVolumes(planning: Planning): void {
  if (!planning.observed.complete) return;
  const used = new Set<string>();
  if (planning.desired.remove !== true)
    for (const { spec } of planning.components)
      for (const mount of spec.mounts)
        if (mount.kind === "volume") used.add(volumeKey(mount.owner, mount.volume));
  for (const { owner, volume } of planning.observed.volumes)
    if (!used.has(volumeKey(owner, volume)))
      planning.notes.push({
        component: owner,
        text: `volume ${volume} stays, with its data; nothing uses it`,
      });
}

/** The highest index first. */
export function byIndexDown(a: ObservedInstance, b: ObservedInstance): number {
  return b.index - a.index || (a.id < b.id ? -1 : 1);
}

function byComponentThenIndexDown(a: ObservedInstance, b: ObservedInstance): number {
  return a.component < b.component ? -1 : a.component > b.component ? 1 : byIndexDown(a, b);
}
