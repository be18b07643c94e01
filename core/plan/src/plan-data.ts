import type { DataWork, Restore } from "./data-work.ts";
import type { DesiredComponent } from "./desired.ts";
import type { ObservedInstance } from "./observed.ts";
import { volumeKey } from "./plan-ground.ts";
import { byIndexDown, removeInstance } from "./plan-removal.ts";
import type { Planning } from "./planner.ts";
import { STEP_TIMEOUT_MS } from "./step-list.ts";

/*
 * Data first, in stages; each begins when all of the one before is done, and all that comes later waits for the last:
 *
 *   ground ─► captures of what runs ─► removals ─► captures of what is stopped ─► puttings back ─► everything else
 *
 * The ground comes first, so that nothing is stopped for as long as images take. What is captured while it runs comes before removals: its
 * commands may need what those stop, and it may be about to be put back itself. What fails leaves all later stages undone.
 */

/** Adds the steps of captures and restores, and makes all later steps of the plan wait for them. */
export function putDataFirst(planning: Planning): void {
  const work = planning.data;
  if (work === undefined) return;
  planning.notes.push(...work.notes);
  for (const restore of work.restores) ensureVolumes(planning, restore);
  let before: readonly string[] = planning.list.steps.map((step) => step.id);
  const stages = [
    () => capture(planning, work, { live: true, needs: before }),
    () => removeFirst(planning, work, before),
    () => capture(planning, work, { live: false, needs: before }),
    () => work.restores.map((restore) => putBack(planning, restore, before)),
  ];
  for (const stage of stages) {
    const steps = stage();
    if (steps.length > 0) before = steps;
  }
  planning.list.holdBack(before);
}

/** Where data of a component was put back, its command `restored` is run before anything that needs it starts. */
export function resumeData(planning: Planning, component: DesiredComponent): void {
  const { name, kind, data } = component;
  const isPutBack = planning.data?.restores.some((one) => one.component === name) === true;
  if (data?.restored === undefined || !isPutBack) return;
  const ends = planning.ends.get(name) ?? [];
  const [ready] = ends;
  if (ready === undefined || kind === "job" || kind === "cron") {
    planning.notes.push({
      component: name,
      text: "its volumes are put back, and its command `restored` is not run: no instance of it gets ready",
    });
    return;
  }
  const step = planning.list.add(
    { kind: "data.resume", component: name, index: 1 },
    { needs: [ready], why: "its volumes were put back", timeoutMs: data.withinMs },
  );
  planning.ends.set(name, [...ends, step]);
}

function ensureVolumes(planning: Planning, { component, volumes }: Restore): void {
  for (const volume of volumes) {
    const key = volumeKey(component, volume);
    if (planning.ground.has(key) || planning.volumesSeen.has(key)) continue;
    const step = planning.list.add(
      { kind: "volume.ensure", component, volume },
      { needs: [], why: "its data is put back, and it does not exist", timeoutMs: STEP_TIMEOUT_MS.volume },
    );
    planning.ground.set(key, step);
  }
}

function capture(
  { list }: Planning,
  { captures }: DataWork,
  options: { readonly live: boolean; readonly needs: readonly string[] },
): readonly string[] {
  return captures
    .filter((one) => one.live === options.live)
    .map(({ component, volumes, snapshotId, live, index, withinMs }) =>
      list.add(
        {
          kind: "data.capture",
          component,
          volumes,
          snapshotId,
          live,
          ...(index === undefined ? {} : { index }),
        },
        {
          needs: options.needs,
          why: live ? "it brings its data to rest by itself" : "nothing writes to it now",
          timeoutMs: withinMs,
        },
      ),
    );
}

function putBack({ list }: Planning, restore: Restore, needs: readonly string[]): string {
  const { component, volumes, snapshotId, withinMs } = restore;
  return list.add(
    { kind: "data.restore", component, volumes, snapshotId },
    { needs, why: "it gets what the snapshot holds", timeoutMs: withinMs },
  );
}

/** Those that need others go before these; those of components that are gone before all. */
function removeFirst(planning: Planning, { going }: DataWork, needs: readonly string[]): readonly string[] {
  const byComponent = Map.groupBy(going, ({ instance }) => instance.component);
  const gone = [...byComponent.keys()].filter((name) => !planning.byName.has(name)).sort();
  const steps = new Map<string, readonly string[]>();
  for (const name of [...gone, ...planning.components.toReversed().map((one) => one.name)]) {
    const users = (planning.usersOf.get(name) ?? []).flatMap((user) => steps.get(user) ?? []);
    const removed = (byComponent.get(name) ?? [])
      .toSorted((a, b) => byIndexDown(a.instance, b.instance))
      .map(({ instance, why }) =>
        removeInstance(planning, instance, { needs: users.length > 0 ? users : needs, why }),
      );
    // Through a component of which nothing goes, the order of those that need it still counts.
    steps.set(name, removed.length > 0 ? removed : users);
  }
  return going.flatMap(
    ({ instance }: { readonly instance: ObservedInstance }) => planning.removals.get(instance.id) ?? [],
  );
}
