import type { ComponentData, Desired, DesiredComponent } from "./desired.ts";
import type { Observed, ObservedInstance } from "./observed.ts";
import { volumeKey } from "./plan-ground.ts";
import { planProblem } from "./problems.ts";
import { STEP_TIMEOUT_MS } from "./step-list.ts";

/** What is done with data on the way, once: captured and put back before anything of the new begins. */
export interface DataWish {
  /** Data of these components is captured into a snapshot. */
  readonly capture?: {
    readonly snapshotId: string;
    readonly components: readonly string[];
    /** By component: how data of instances of another version than the desired one is captured; as desired when absent. */
    readonly was?: Readonly<Record<string, ComponentData>> | undefined;
  };
  /** These volumes get what a snapshot holds. */
  readonly restore?: {
    readonly snapshotId: string;
    readonly volumes: readonly { readonly component: string; readonly volume: string }[];
  };
}

/** What a wish comes to with what is there: sorted, nothing twice. */
export interface DataWork {
  readonly captures: readonly Capture[];
  readonly restores: readonly Restore[];
  /** Instances that go before anything is captured (other than live) or put back. The rest is planned as if they were not there. */
  readonly going: readonly { readonly instance: ObservedInstance; readonly why: string }[];
  readonly notes: readonly { readonly component: string; readonly text: string }[];
}

export interface Capture {
  readonly component: string;
  readonly volumes: readonly string[];
  readonly snapshotId: string;
  readonly live: boolean;
  /** Of the instance that runs the commands, where it is live. */
  readonly index: number | undefined;
  readonly withinMs: number;
}

export interface Restore {
  readonly component: string;
  readonly volumes: readonly string[];
  readonly snapshotId: string;
  readonly withinMs: number;
}

/** Undefined when nothing is to be done. Throws PLAN_DATA_ABSENT, PLAN_DATA_UNSEEN. */
export function dataWorkOf(desired: Desired, observed: Observed, wish: DataWish = {}): DataWork | undefined {
  const isWished = (wish.capture?.components.length ?? 0) + (wish.restore?.volumes.length ?? 0) > 0;
  if (!isWished) return undefined;
  if (!observed.complete)
    throw planProblem("PLAN_DATA_UNSEEN", `data of ${desired.app.slug} cannot be captured or put back now`, {
      why: `not all of the app could be seen, so what writes to it may still run${observed.remarks.length === 0 ? "" : `: ${observed.remarks.join("; ")}`}`,
      hint: "look at the engine, and try again",
    });
  const components = new Map(desired.components.map((component) => [component.name, component]));
  const notes: { component: string; text: string }[] = [];
  const captures = capturesOf(components, observed, { wish: wish.capture, notes });
  const restores = restoresOf(components, wish.restore);
  noteUnused(desired, restores, notes);
  const going = observed.instances.flatMap((instance) => {
    const why = whyFirst(components, instance, { captures, restores });
    return why === undefined ? [] : [{ instance, why }];
  });
  return { captures, restores, going, notes };
}

/** What is observed once all that goes first is gone. */
export function observedAfter(observed: Observed, work: DataWork | undefined): Observed {
  if (work === undefined || work.going.length === 0) return observed;
  const gone = new Set(work.going.map(({ instance }) => instance.id));
  return { ...observed, instances: observed.instances.filter((one) => !gone.has(one.id)) };
}

type Components = ReadonlyMap<string, DesiredComponent>;

function capturesOf(
  components: Components,
  observed: Observed,
  {
    wish,
    notes,
  }: { readonly wish: DataWish["capture"]; readonly notes: { component: string; text: string }[] },
): readonly Capture[] {
  if (wish === undefined) return [];
  const names = [...new Set(wish.components)].sort();
  refuseAbsent(components, names);
  const seen = new Set(observed.volumes.map((one) => volumeKey(one.owner, one.volume)));
  return names.flatMap((name) => {
    const component = components.get(name);
    if (component?.data === undefined) return [];
    const running = firstReady(component, observed);
    const data =
      (running?.specDigest === component.specDigest ? undefined : own(wish.was, name)) ?? component.data;
    const volumes = data.volumes.filter((volume) => seen.has(volumeKey(name, volume)));
    const absent = data.volumes.filter((volume) => !seen.has(volumeKey(name, volume)));
    if (absent.length > 0)
      notes.push({
        component: name,
        text: `${wordsOf(absent)} not captured: ${absent.length === 1 ? "it does" : "they do"} not exist yet`,
      });
    if (volumes.length === 0) return [];
    const index = data.before === undefined ? undefined : running?.index;
    if (index === undefined && data.before !== undefined)
      notes.push({
        component: name,
        text: `${wordsOf(volumes)} captured as found, without its command \`before\`: no instance of it is ready`,
      });
    const { snapshotId } = wish;
    return [
      { component: name, volumes, snapshotId, live: index !== undefined, index, withinMs: data.withinMs },
    ];
  });
}

function refuseAbsent(components: Components, names: readonly string[]): void {
  const faults = names
    .filter((name) => components.get(name)?.data === undefined)
    .map((name) => ({
      path: `components.${name}`,
      message: components.has(name)
        ? "has no volume of its own that lasts, so it has no data"
        : "is not part of the app",
    }));
  if (faults.length === 0) return;
  const withData = [...components.values()].filter((one) => one.data !== undefined).map((one) => one.name);
  throw planProblem("PLAN_DATA_ABSENT", "there is no such data to capture", {
    faults,
    hint:
      withData.length === 0
        ? "no component of the app has data: leave the capture out"
        : `name components that have data: ${withData.sort().join(", ")}`,
  });
}

/** The instance of the lowest index that answers, so that it can run `before`. */
function firstReady({ name, kind }: DesiredComponent, observed: Observed): ObservedInstance | undefined {
  if (kind === "job" || kind === "cron") return undefined;
  return observed.instances
    .filter((one) => one.component === name && one.state === "ready" && one.serving)
    .toSorted((a, b) => a.index - b.index)[0];
}

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

function restoresOf(components: Components, wish: DataWish["restore"]): readonly Restore[] {
  if (wish === undefined) return [];
  return [...Map.groupBy(wish.volumes, (one) => one.component)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([component, volumes]) => ({
      component,
      volumes: [...new Set(volumes.map((one) => one.volume))].sort(),
      snapshotId: wish.snapshotId,
      withinMs: components.get(component)?.data?.withinMs ?? STEP_TIMEOUT_MS.data,
    }));
}

function noteUnused(
  { components, remove }: Desired,
  restores: readonly Restore[],
  notes: { component: string; text: string }[],
): void {
  const mounted = new Set(
    (remove === true ? [] : components).flatMap(({ spec }) =>
      spec.mounts.flatMap((mount) => (mount.kind === "volume" ? [volumeKey(mount.owner, mount.volume)] : [])),
    ),
  );
  for (const { component, volumes } of restores) {
    const unused = volumes.filter((volume) => !mounted.has(volumeKey(component, volume)));
    if (unused.length > 0)
      notes.push({
        component,
        text: `${wordsOf(unused)} put back, and nothing uses ${unused.length === 1 ? "it" : "them"}`,
      });
  }
}

interface Works {
  readonly captures: readonly Capture[];
  readonly restores: readonly Restore[];
}

/** Why an instance goes before data is captured or put back; undefined when it may stay. First match wins. */
function whyFirst(
  components: Components,
  instance: ObservedInstance,
  { captures, restores }: Works,
): string | undefined {
  if (restores.length === 0 && captures.every((one) => one.live)) return undefined;
  const component = components.get(instance.component);
  const restored = restores.find((one) => mayMount(component, instance, one));
  if (restored !== undefined) return `${dataWords(instance, restored)} is put back`;
  if (component === undefined) return "its component is no longer part of the app, and may use the data";
  const ended = hasEnded(component, instance);
  const captured = captures.find((one) => !one.live && mayMount(component, instance, one));
  if (captured !== undefined && !ended)
    return `${dataWords(instance, captured)} is captured while nothing writes to it`;
  const isOther = instance.specDigest !== component.specDigest;
  if (restores.length > 0 && isOther && !(ended && component.kind === "cron"))
    return "data is put back, and it is not of the version that will use it";
  return undefined;
}

/**
 * An observation does not tell mounts. An instance as desired mounts what its component does; another one may mount any volume of an
 * owner with which its component shares one.
 */
function mayMount(
  component: DesiredComponent | undefined,
  instance: ObservedInstance,
  data: { readonly component: string; readonly volumes: readonly string[] },
): boolean {
  if (instance.component === data.component) return true;
  if (component === undefined) return false;
  const isAsDesired = instance.specDigest === component.specDigest;
  return component.spec.mounts.some(
    (mount) =>
      mount.kind === "volume" &&
      mount.owner === data.component &&
      (!isAsDesired || data.volumes.includes(mount.volume)),
  );
}

/** A run that is over writes nothing any more; taken away, a job would run again. */
function hasEnded({ kind, spec }: DesiredComponent, { state }: ObservedInstance): boolean {
  if (kind !== "job" && kind !== "cron") return false;
  return state === "completed" || state === "stopped" || (state === "failing" && spec.restart === "never");
}

function dataWords(instance: ObservedInstance, data: { readonly component: string }): string {
  return instance.component === data.component ? "its data" : `data of ${data.component}`;
}

function wordsOf(volumes: readonly string[]): string {
  return volumes.length === 1 ? `volume ${volumes[0]} is` : `volumes ${volumes.join(", ")} are`;
}
