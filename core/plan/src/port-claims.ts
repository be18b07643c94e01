import type { DesiredComponent } from "./desired.ts";
import type { ObservedInstance } from "./observed.ts";
import { groundOf } from "./plan-ground.ts";
import { removeInstance } from "./plan-removal.ts";
import type { Planning } from "./planner.ts";
import { planProblem } from "./problems.ts";

/** Which component asks for a host port. Throws PLAN_PORT_CONFLICT when two do, or two instances of one. */
export function claimHostPorts(components: readonly DesiredComponent[]): ReadonlyMap<number, string> {
  const claims = new Map<number, string>();
  const seen = new Map<string, string>();
  for (const component of components) {
    if (component.replicas === 0 || component.kind === "cron") continue;
    for (const port of component.spec.ports) {
      if (port.hostPort === undefined || port.hostPort === 0) continue;
      const key = `${port.hostPort}/${port.protocol === "udp" ? "udp" : "tcp"}`;
      const other =
        seen.get(key) ?? (component.replicas > 1 ? `another replica of ${component.name}` : undefined);
      if (other !== undefined)
        throw planProblem("PLAN_PORT_CONFLICT", `host port ${port.hostPort} is asked for twice`, {
          why: `${component.name} and ${other} both ask for it, and one instance can hold it`,
          hint: "give one of them another host port, or let the site choose",
        });
      seen.set(key, component.name);
      claims.set(port.hostPort, component.name);
    }
  }
  return claims;
}

/** A component that asks for a host port has one instance. */
const CLAIMING_INDEX = 1;

/**
 * First of all instances go those whose host port another one gets: that one cannot start before. They wait for nothing but
 * what both stand on, so that no circle of waiting can arise.
 */
export function removeForPorts(planning: Planning): void {
  if (!planning.observed.complete) return;
  const { portClaims } = planning;
  for (const instance of planning.observed.instances) {
    const claims = instance.hostPorts.filter(({ hostPort }) => {
      const claimant = portClaims.get(hostPort);
      const isItsOwn = claimant === instance.component && instance.index === CLAIMING_INDEX;
      return claimant !== undefined && !isItsOwn;
    });
    if (claims.length === 0 || !isGoing(planning, instance)) continue;
    const involved = new Set([instance.component, ...claims.map((one) => portClaims.get(one.hostPort))]);
    const step = removeInstance(planning, instance, {
      needs: planning.components
        .filter((one) => involved.has(one.name))
        .flatMap((one) => groundOf(planning, one)),
      why: `${portClaims.get(claims[0]?.hostPort ?? 0)} gets its host port ${claims[0]?.hostPort}`,
    });
    for (const { hostPort } of instance.hostPorts)
      planning.portFreedBy.set(hostPort, [...(planning.portFreedBy.get(hostPort) ?? []), step]);
  }
}

/** Whether the plan does away with the instance. */
function isGoing(planning: Planning, instance: ObservedInstance): boolean {
  const judged = planning.judged.get(instance.component);
  if (judged === undefined) return true;
  const here = judged.find((one) => one.slot.index === instance.index);
  if (here === undefined) return planning.byName.get(instance.component)?.kind !== "cron";
  if (here.slot.spares.some((spare) => spare.instance.id === instance.id)) return true;
  return (
    here.slot.outdated?.id === instance.id &&
    (here.treatment === "stop-start" || here.treatment === "take-over")
  );
}
