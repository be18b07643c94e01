import type { Desired, InstancePort } from "@sampan/plan";
import type { Fault } from "@sampan/problem";
import type { AppSummary } from "@sampan/store";
import type { App } from "@sampan/template";
import { desiredOf } from "./desired-of.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

/** Exposed ports for which nobody named a port of the machine get one of these, once, and keep it. */
const HOST_PORT_FIRST = 20_000;
const HOST_PORT_LAST = 29_999;

/**
 * Ports of the machine by `component/port`: those held stay; missing ones are given out, of those that no app was given and nothing on
 * the machine listens on. Throws HOST_PORT_TAKEN when none is left, RUNTIME_UNREACHABLE.
 */
export async function allotHostPorts(
  parts: Pick<Parts, "store" | "driver">,
  appId: string,
  spec: App,
  held: Readonly<Record<string, number>>,
): Promise<Readonly<Record<string, number>>> {
  const wanted = Object.entries(spec.components).flatMap(([name, component]) =>
    Object.entries(component.ports ?? {})
      .filter(([, port]) => port.exposed === true && port.hostPort === undefined)
      .map(([portName]) => `${name}/${portName}`),
  );
  const missing = wanted.filter((key) => held[key] === undefined);
  if (missing.length === 0) return held;
  const listening = (await parts.driver.takenPorts()) ?? [];
  const taken = new Set([...Object.values(held), ...listening.map(({ port }) => port)]);
  for await (const other of otherApps(parts, appId)) {
    const { values } = await parts.store.apps.get(other.id);
    for (const port of Object.values(values.hostPorts)) taken.add(port);
    for (const { hostPort } of await claimsOf(parts, other)) taken.add(hostPort);
  }
  const allotted: Record<string, number> = { ...held };
  let next = HOST_PORT_FIRST;
  for (const key of missing) {
    while (taken.has(next)) next += 1;
    if (next > HOST_PORT_LAST) {
      throw deliveryProblem("HOST_PORT_TAKEN", "no port of the machine is left to give out", {
        why: `all of ${HOST_PORT_FIRST} to ${HOST_PORT_LAST} are given to apps`,
        hint: "name a port with hostPort, or remove apps that are no longer needed",
      });
    }
    allotted[key] = next;
    taken.add(next);
  }
  return allotted;
}

/** What the other apps of a site have been promised. Those that are stopped ask for nothing. */
export interface OtherApps {
  /** By port, as `8080/tcp`: the name of the app. */
  readonly ports: ReadonlyMap<string, string>;
  /** Cores. */
  readonly cpus: number;
  readonly memoryBytes: number;
}

export async function lookAtOtherApps(parts: Pick<Parts, "store">, appId: string): Promise<OtherApps> {
  const ports = new Map<string, string>();
  let [cpus, memoryBytes] = [0, 0];
  for await (const other of otherApps(parts, appId)) {
    if (other.stopped) continue;
    const desired = await desiredOf(parts, other);
    if (desired === undefined || desired.remove === true) continue;
    for (const claim of claims(desired)) ports.set(keyOf(claim), other.name);
    for (const { replicas, spec } of desired.components) {
      cpus += replicas * (spec.requests.cpu ?? 0);
      memoryBytes += replicas * (spec.requests.memoryBytes ?? 0);
    }
  }
  return { ports, cpus, memoryBytes };
}

/** Two apps that ask for the same port can never both run. Throws HOST_PORT_TAKEN. */
export function refuseTakenPorts({ ports }: Pick<OtherApps, "ports">, desired: Desired): void {
  const faults: Fault[] = claims(desired).flatMap((claim) => {
    const holder = ports.get(keyOf(claim));
    return holder === undefined
      ? []
      : [{ path: claim.path, message: `port ${keyOf(claim)} of the machine is held by the app ${holder}` }];
  });
  if (faults.length === 0) return;
  throw deliveryProblem("HOST_PORT_TAKEN", "ports of the machine are used by other apps", {
    faults,
    hint: "choose other ports, or stop the other app",
  });
}

interface Claim {
  readonly path: string;
  readonly hostPort: number;
  readonly protocol: InstancePort["protocol"];
}

function claims(desired: Desired): readonly Claim[] {
  return desired.components
    .filter((component) => component.replicas > 0)
    .flatMap(({ name, spec }) =>
      spec.ports.flatMap((port) =>
        port.hostPort === undefined || port.hostPort === 0
          ? []
          : [
              {
                path: `components.${name}.ports.${port.name}.hostPort`,
                hostPort: port.hostPort,
                protocol: port.protocol,
              },
            ],
      ),
    );
}

function keyOf({ hostPort, protocol }: Claim): string {
  return `${hostPort}/${protocol === "udp" ? "udp" : "tcp"}`;
}

async function claimsOf(parts: Pick<Parts, "store">, app: AppSummary): Promise<readonly Claim[]> {
  const desired = await desiredOf(parts, app);
  return desired === undefined || desired.remove === true ? [] : claims(desired);
}

async function* otherApps(parts: Pick<Parts, "store">, appId: string): AsyncGenerator<AppSummary> {
  for await (const app of allApps(parts)) if (app.id !== appId) yield app;
}

/** Every app of the site. */
export async function* allApps(parts: Pick<Parts, "store">): AsyncGenerator<AppSummary> {
  let after: string | undefined;
  do {
    const request = after === undefined ? { limit: 200 } : { limit: 200, after };
    const page = await parts.store.apps.list({ kind: "all" }, {}, request);
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}
