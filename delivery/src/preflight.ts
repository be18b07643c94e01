import {
  type Desired,
  judgePreflight,
  type PreflightCheck,
  type PreflightFacts,
  requirementsOf,
} from "@sampan/plan";
import { isProblem } from "@sampan/problem";
import type { Capabilities } from "@sampan/runtime";
import type { RecordKind } from "@sampan/store";
import type { Preflight } from "@sampan/template";
import { lookAtOtherApps, type OtherApps, refuseTakenPorts } from "./host-ports.ts";
import { lookAtImages } from "./images.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import { refusePrivileges } from "./refuse-privileges.ts";

/** What is to run, and what is known of it besides. */
export interface Look {
  readonly desired: Desired;
  /** What the app, or the release that comes, declares that the site must have. */
  readonly declared: Preflight | undefined;
  /** What was declared before: that the site has already. */
  readonly declaredBefore: Preflight | undefined;
  /** Names of components whose data is captured. */
  readonly captured: readonly string[] | undefined;
}

/**
 * Looks at the site before anything is done: what it cannot do at all is refused at once (PRIVILEGES_REFUSED, IMAGE_ABSENT,
 * PLATFORM_UNFIT, HOST_PORT_TAKEN); all else is judged. What cannot be found out is a warning. Throws RUNTIME_UNREACHABLE.
 */
export async function lookAtSite(parts: Parts, look: Look): Promise<readonly PreflightCheck[]> {
  const { desired, declared, declaredBefore, captured } = look;
  refusePrivileges(parts, desired);
  const machine = await parts.driver.capabilities();
  const images = await lookAtImages(parts, desired, machine);
  const others = await lookAtOtherApps(parts, desired.app.id);
  refuseTakenPorts(others, desired);
  const requirements = requirementsOf(desired, declared === undefined ? {} : { preflight: declared }, {
    images,
    declaredBefore,
    capture: captured && { sizeBytes: await sizeOfData(parts, desired.app.id, captured) },
  });
  return judgePreflight(requirements, await factsOf(parts, machine, others));
}

async function factsOf(parts: Parts, machine: Capabilities, others: OtherApps): Promise<PreflightFacts> {
  return {
    ...machine,
    holdFreeBytes: await unlessUnknown(() => parts.hold.freeBytes()),
    privilegesAllowed: parts.allows.privileged,
    takenPorts: await unlessUnknown(() => parts.driver.takenPorts()),
    reservedCpus: others.cpus,
    reservedMemoryBytes: others.memoryBytes,
  };
}

/** What the machine does not tell is unknown; an engine that is not there is a problem of its own. */
async function unlessUnknown<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isTold = isProblem(error) || (error instanceof Error && "errno" in error);
    if (!isTold || isProblem(error, "RUNTIME_UNREACHABLE")) throw error;
    return undefined;
  }
}

/** As measured when the data of all of them was last captured. */
async function sizeOfData(
  parts: Parts,
  appId: string,
  components: readonly string[],
): Promise<number | undefined> {
  const filter = { appId, state: "complete" } as const;
  const { items } = await parts.store.dataSnapshots.list({ kind: "all" }, filter, { limit: 20 });
  const whole = items.find(({ volumes }) =>
    components.every((name) => volumes.some(({ component }) => component === name)),
  );
  return whole?.volumes
    .filter(({ component }) => components.includes(component))
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Changes of what runs here already: the machine that it runs on has been accepted for it. */
const GOES_ON: ReadonlySet<RecordKind> = new Set(["scale", "start", "stop", "snapshot", "edit"]);
const OF_THE_MACHINE: ReadonlySet<string> = new Set(["architecture", "engine", "kernel", "cpu", "memory"]);

/** Throws PREFLIGHT_FAILED when the site lacks what the change takes. */
export function refuseUnready(
  checks: readonly PreflightCheck[],
  { kind, appName }: { readonly kind: RecordKind; readonly appName: string },
): void {
  const failed = checks.filter(
    ({ id, state }) => state === "fail" && !(GOES_ON.has(kind) && OF_THE_MACHINE.has(id)),
  );
  if (failed.length === 0) return;
  throw deliveryProblem("PREFLIGHT_FAILED", `the site is not ready for ${appName}`, {
    why: failed.map(({ title, found, wanted }) => `${title}: ${found}; wanted: ${wanted}`).join(". "),
    faults: failed.map(({ id, title, remedy }) => ({
      path: id,
      message: `${title}: ${remedy ?? "it fails"}`,
    })),
    hint: "do what each check says, or go on all the same with --ignore-preflight",
  });
}
