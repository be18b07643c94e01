import type { Desired, DesiredComponent, Observed, ObservedInstance } from "@sampan/plan";
import { describeError, isProblem } from "@sampan/problem";
import type { StoredApp } from "@sampan/store";
import { desiredOf } from "./desired-of.ts";
import type { Parts } from "./parts.ts";

/** One word for people; the worst of its parts. */
export type Health = "running" | "starting" | "degraded" | "failing" | "stopped" | "unknown";

export interface ComponentHealth {
  readonly name: string;
  readonly health: Health;
  readonly replicas: number;
  /** Instances that are ready, or jobs that are complete. */
  readonly ready: number;
  readonly instances: readonly (ObservedInstance & { readonly upToDate: boolean })[];
}

export interface AppHealth {
  readonly health: Health;
  readonly observed?: Observed;
  readonly desired?: Desired;
  readonly components: readonly ComponentHealth[];
  /** What could not be seen, in words. */
  readonly remarks: readonly string[];
}

/** What runs of an app, beside what is desired. An engine that does not answer gives "unknown", not an error. */
export async function observe(
  parts: Pick<Parts, "store" | "driver">,
  app: StoredApp | { readonly id: string; readonly generation: number },
  signal?: AbortSignal,
): Promise<AppHealth> {
  const desired = await desiredOf(parts, app);
  try {
    const observed = await parts.driver.observe({ id: app.id, images: [] }, signal);
    const components = (desired?.components ?? []).map((component) => componentHealth(component, observed));
    return {
      health: worst(components.map((one) => one.health)),
      observed,
      components,
      remarks: observed.remarks,
      ...(desired === undefined ? {} : { desired }),
    };
  } catch (error) {
    if (!isProblem(error)) throw error;
    const components = (desired?.components ?? []).map((component) => ({
      name: component.name,
      health: "unknown" as const,
      replicas: component.replicas,
      ready: 0,
      instances: [],
    }));
    return {
      health: "unknown",
      components,
      remarks: [describeError(error)],
      ...(desired === undefined ? {} : { desired }),
    };
  }
}

function componentHealth(component: DesiredComponent, observed: Observed): ComponentHealth {
  const instances = observed.instances
    .filter((instance) => instance.component === component.name)
    .toSorted((a, b) => a.index - b.index || a.generation - b.generation)
    .map((instance) => ({ ...instance, upToDate: instance.specDigest === component.specDigest }));
  const ready = instances.filter((instance) => isReady(instance)).length;
  return {
    name: component.name,
    health: judge(component, instances, ready),
    replicas: component.replicas,
    ready,
    instances,
  };
}

function isReady(instance: ObservedInstance): boolean {
  return instance.state === "completed" || (instance.state === "ready" && instance.serving);
}

function judge(component: DesiredComponent, instances: readonly ObservedInstance[], ready: number): Health {
  if (component.replicas === 0) return "stopped";
  if (ready >= component.replicas) return "running";
  if (instances.some((instance) => instance.state === "failing")) return ready > 0 ? "degraded" : "failing";
  if (ready > 0) return "degraded";
  if (instances.some((instance) => instance.state === "unready")) return "degraded";
  return instances.some((instance) => instance.state === "starting") ? "starting" : "failing";
}

const ORDER: readonly Health[] = ["unknown", "failing", "degraded", "starting", "running", "stopped"];

function worst(parts: readonly Health[]): Health {
  return ORDER.find((health) => parts.includes(health)) ?? "stopped";
}
