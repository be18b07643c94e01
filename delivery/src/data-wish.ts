import type { DataWish, Plan } from "@sampan/plan";
import type { DataSnapshot, DataSnapshotVolume, StoredApp } from "@sampan/store";
import { type App, type Component, selectModules } from "@sampan/template";
import { inOrder } from "./data-content.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

/** Components whose data is captured: all that have data, none, or these. */
export type CaptureChoice = "all" | "none" | readonly string[];

/** What an app says, and which of its modules are on. */
type Said = Pick<StoredApp, "spec" | "modules">;

/**
 * Captures what is there before a change: data of components that the app has, and still has `after` it. Undefined when there is
 * nothing to capture. Whether components that were named have data is the planner's to say.
 */
export function captureWish(
  parts: Pick<Parts, "newId">,
  app: Said,
  choice: CaptureChoice,
  after: Said = app,
): DataWish["capture"] {
  if (choice === "none") return undefined;
  const still = new Set(componentsWithData(after));
  const components = choice === "all" ? componentsWithData(app).filter((name) => still.has(name)) : choice;
  return components.length === 0 ? undefined : { snapshotId: parts.newId("snp"), components };
}

/** Components that are on and have volumes of their own that last, sorted. */
export function componentsWithData({ spec, modules }: Said): readonly string[] {
  const names = Object.keys(modules);
  const choice = {
    on: names.filter((name) => modules[name]),
    off: names.filter((name) => modules[name] === false),
  };
  return selectModules(spec, choice)
    .components.filter((name) => {
      const component = spec.components[name];
      return (
        component !== undefined &&
        Object.keys(component.volumes ?? {}).some((volume) => isOwn(component, volume))
      );
    })
    .toSorted();
}

/** Said where all data is captured: what is turned off keeps its volumes, and no part of the app reaches them. */
export function remarksOfOff(app: Said): readonly string[] {
  const on = new Set(componentsWithData(app));
  return Object.entries(app.spec.components)
    .filter(
      ([name, one]) => !on.has(name) && Object.keys(one.volumes ?? {}).some((volume) => isOwn(one, volume)),
    )
    .map(([name]) => `${name} is turned off: data that its volumes may hold is not captured`);
}

function isOwn(component: Component, volume: string): boolean {
  const found = component.volumes?.[volume];
  return found !== undefined && found.kind !== "memory" && found.from === undefined;
}

export interface RestoreChoice {
  /** All that the snapshot has of these; everything when both are absent. */
  readonly components?: readonly string[] | undefined;
  readonly volumes?: readonly { readonly component: string; readonly volume: string }[] | undefined;
  /** Only into components of these, where what is there is captured first: data of the others cannot be. */
  readonly capturable?: readonly string[] | undefined;
}

export interface Restoring {
  readonly restore: NonNullable<DataWish["restore"]>;
  /** What of the snapshot has no place in the app any more. */
  readonly remarks: readonly string[];
}

/** Which volumes of an app a snapshot is put back into. Throws NOT_FOUND for what it does not hold, DATA_SNAPSHOT_UNUSABLE when nothing is left. */
export function restoreWish(
  spec: App,
  snapshot: Pick<DataSnapshot, "id" | "volumes">,
  choice: RestoreChoice = {},
): Restoring {
  refuseUnheld(snapshot, choice);
  const volumes: { component: string; volume: string }[] = [];
  const remarks: string[] = [];
  for (const held of inOrder(snapshot.volumes)) {
    if (!isChosen(held, choice)) continue;
    const name = componentFor(spec, held);
    const component = name === undefined ? undefined : spec.components[name];
    if (name === undefined || component === undefined)
      remarks.push(`${held.component} is gone, so its volume ${held.volume} is not put back`);
    else if (!isOwn(component, held.volume))
      remarks.push(`${name} has no volume ${held.volume} of its own any more, so that is not put back`);
    else if (choice.capturable?.includes(name) === false)
      remarks.push(
        `${name} is turned off, so what is in its volume ${held.volume} cannot be captured first, and it is not put back`,
      );
    else volumes.push({ component: name, volume: held.volume });
  }
  if (volumes.length === 0)
    throw deliveryProblem("DATA_SNAPSHOT_UNUSABLE", "nothing of the data snapshot can be put back", {
      why: remarks.join("; ") || "it holds nothing",
      hint: "choose another: sampan snapshot list",
    });
  return { restore: { snapshotId: snapshot.id, volumes }, remarks };
}

function isChosen(held: DataSnapshotVolume, { components, volumes }: RestoreChoice): boolean {
  if (components === undefined && volumes === undefined) return true;
  return (
    components?.includes(held.component) === true ||
    volumes?.some((one) => one.component === held.component && one.volume === held.volume) === true
  );
}

function refuseUnheld(
  snapshot: Pick<DataSnapshot, "volumes">,
  { components = [], volumes = [] }: RestoreChoice,
): void {
  const holds = (component: string, volume?: string) =>
    snapshot.volumes.some(
      (one) => one.component === component && (volume === undefined || one.volume === volume),
    );
  const faults = [
    ...components.filter((name) => !holds(name)),
    ...volumes
      .filter((one) => !holds(one.component, one.volume))
      .map((one) => `${one.component}/${one.volume}`),
  ].map((path) => ({ path, message: "is not in the data snapshot" }));
  if (faults.length === 0) return;
  const all = inOrder(snapshot.volumes).map((one) => `${one.component}/${one.volume}`);
  throw deliveryProblem("NOT_FOUND", "the data snapshot does not hold all of that", {
    faults,
    hint: `it holds ${all.join(", ")}`,
  });
}

/** By id; by name only between two installations of one template, whose components have the same ids. */
function componentFor(spec: App, held: DataSnapshotVolume): string | undefined {
  const same = Object.entries(spec.components)
    .filter(([, component]) => component.id === held.componentId)
    .map(([name]) => name);
  return same.includes(held.component) ? held.component : same.length === 1 ? same[0] : undefined;
}

/** What a plan does with data, for people who are asked whether they want it. */
export interface DataPreview {
  readonly capture: readonly {
    readonly component: string;
    readonly volumes: readonly string[];
    /** It goes on running meanwhile. */
    readonly live: boolean;
    /** What it had when it was last captured; absent when that is not known. */
    readonly sizeBytes?: number;
  }[];
  readonly restore: readonly {
    readonly component: string;
    readonly volume: string;
    readonly snapshotId: string;
    readonly takenAt: string;
    readonly sizeBytes: number;
  }[];
}

/** Undefined when the plan does nothing with data. */
export async function dataPreview(parts: Pick<Parts, "store">, plan: Plan): Promise<DataPreview | undefined> {
  const captures = plan.steps.filter((step) => step.kind === "data.capture");
  const restores = plan.steps.filter((step) => step.kind === "data.restore");
  if (captures.length + restores.length === 0) return undefined;
  const [last] = (
    await parts.store.dataSnapshots.list(
      { kind: "all" },
      { appId: plan.app.id, state: "complete" },
      { limit: 1 },
    )
  ).items;
  const capture = captures.map(({ component, volumes, live }) => {
    const sizeBytes = sizeOf(last, component, volumes);
    return { component, volumes, live, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
  });
  const restore: DataPreview["restore"][number][] = [];
  for (const { component, volumes, snapshotId } of restores) {
    const snapshot = await parts.store.dataSnapshots.get(snapshotId);
    for (const volume of volumes) {
      const sizeBytes = sizeOf(snapshot, component, [volume]) ?? 0;
      restore.push({ component, volume, snapshotId, takenAt: snapshot.startedAt, sizeBytes });
    }
  }
  return { capture, restore };
}

function sizeOf(
  snapshot: DataSnapshot | undefined,
  component: string,
  volumes: readonly string[],
): number | undefined {
  const held = snapshot?.volumes.filter((one) => one.component === component && volumes.includes(one.volume));
  return held === undefined || held.length < volumes.length
    ? undefined
    : held.reduce((sum, one) => sum + one.sizeBytes, 0);
}

/** The same in sentences. */
export function dataRemarks(view: DataPreview | undefined): readonly string[] {
  const stopped = (view?.capture ?? [])
    .filter((one) => !one.live)
    .map(({ component, sizeBytes }) => {
      const size = sizeBytes === undefined ? "" : ` (${sizeBytes} bytes when it was last captured)`;
      return `${component} is stopped while its data is captured${size}`;
    });
  const lost = (view?.restore ?? []).map(
    ({ component, volume, takenAt }) =>
      `${component}/${volume} becomes what it was at ${takenAt}: what was written to it since is lost`,
  );
  return [...stopped, ...lost];
}
