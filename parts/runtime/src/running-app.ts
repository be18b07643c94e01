import type { AppRef, DesiredComponent } from "@sampan/plan";

/** What an app should be, as the engine itself tells it: read back from what was made there. It holds secrets, as a desired does. */
export interface RunningApp {
  readonly app: AppRef;
  readonly generation: number;
  /**
   * Sorted by name. Those of which the engine holds no instance (they are stopped, or never ran by their schedule) are not known to it. What is
   * no part of a specification (needs, start time, schedule) is as it was when the newest instance was made.
   */
  readonly components: readonly DesiredComponent[];
  /** What could not be read back, with the reason. */
  readonly remarks: readonly string[];
}

interface InstanceMark {
  readonly component: string;
  readonly index: number;
  readonly generation: number;
  readonly serving: boolean;
}

/** By component: the instance that tells what was last asked for, the newest one, and how many there are to be. Sorted by name. */
export function leadingInstances<T extends InstanceMark>(
  instances: readonly T[],
): readonly { readonly leader: T; readonly replicas: number }[] {
  const byComponent = Map.groupBy(instances, (one) => one.component);
  return [...byComponent.values()]
    .flatMap((all) => {
      const [leader] = all.toSorted((a, b) => b.generation - a.generation || +b.serving - +a.serving);
      return leader === undefined ? [] : [{ leader, replicas: Math.max(...all.map((one) => one.index)) }];
    })
    .sort((a, b) => (a.leader.component < b.leader.component ? -1 : 1));
}

/**
 * Puts together what was read. Needs of components that are not there are left out, and remarked: nothing could be planned with them.
 * What is there of a cron component is its last run, and no replica.
 */
export function runningApp(read: RunningApp): RunningApp {
  const present = new Set(read.components.map(({ name }) => name));
  const remarks = [...read.remarks];
  const components = read.components.map((one) => {
    const component = one.kind === "cron" ? { ...one, replicas: 0 } : one;
    const absent = component.needs.filter((need) => !present.has(need));
    for (const need of absent)
      remarks.push(
        `${component.name} needed ${need}, of which the engine has no instance: it was stopped, or never ran by its schedule`,
      );
    return absent.length === 0
      ? component
      : { ...component, needs: component.needs.filter((need) => present.has(need)) };
  });
  return { ...read, components, remarks };
}
