import type { Desired } from "@sampan/plan";
import { resolve } from "@sampan/plan";
import type { AppValues } from "@sampan/store";
import {
  type App,
  answersProblem,
  appProblem,
  askedParameters,
  assignComponentIds,
  checkParameters,
  listGenerated,
  makeGenerated,
  type ParameterValue,
  selectModules,
} from "@sampan/template";
import { pinImages } from "./images.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

export type ModuleChoice = Readonly<Record<string, boolean>>;

export interface Unsettled {
  readonly app: { readonly id: string; readonly slug: string };
  readonly generation: number;
  readonly spec: App;
  /** What the app has now; generated values and ports are kept. */
  readonly values: AppValues;
  readonly answers: Readonly<Record<string, ParameterValue>>;
  readonly modules: ModuleChoice;
  readonly stopped: boolean;
}

export interface Settled {
  readonly spec: App;
  readonly values: AppValues;
  readonly modules: ModuleChoice;
  readonly desired: Desired;
}

/** Exposed ports for which nobody named a port of the machine get one of these, once, and keep it. */
const HOST_PORT_FIRST = 20_000;
const HOST_PORT_LAST = 29_999;

/**
 * From what an app says to what should run: ids given, images found, parameters checked, secrets made, ports allotted.
 * Throws with every fault of its kind: TEMPLATE_ANSWERS_INVALID, IMAGE_ABSENT, TEMPLATE_INVALID.
 */
export async function settle(parts: Parts, unsettled: Unsettled, signal?: AbortSignal): Promise<Settled> {
  const spec = assignComponentIds(unsettled.spec, () => parts.newId("cmp"));
  const { modules, components } = settleModules(spec, unsettled.modules);
  const kept = unsettled.values;
  const parameters = settleParameters(spec, components, {
    kept: kept.parameters,
    answers: unsettled.answers,
  });
  const generated = {
    ...kept.generated,
    ...makeGenerated(listGenerated(spec), kept.generated, parts.randomBytes),
  };
  const hostPorts = await allotHostPorts(parts, unsettled.app.id, spec, kept.hostPorts);
  const values: AppValues = { parameters, generated, hostPorts };
  const images = await pinImages(parts, spec, signal);
  const { desired, faults } = resolve(spec, {
    appRef: unsettled.app,
    generation: unsettled.generation,
    values,
    modules: choiceOf(modules),
    images,
    sha256: parts.sha256,
  });
  if (desired === undefined) throw appProblem(`the app ${spec.name}`, faults);
  return { spec, values, modules, desired: unsettled.stopped ? stoppedOf(desired) : desired };
}

function stoppedOf(desired: Desired): Desired {
  return { ...desired, components: desired.components.map((component) => ({ ...component, replicas: 0 })) };
}

function choiceOf(modules: ModuleChoice): { readonly on: string[]; readonly off: string[] } {
  const names = Object.keys(modules);
  return { on: names.filter((name) => modules[name]), off: names.filter((name) => !modules[name]) };
}

/** Which modules are on, all of them named; choices about modules that are gone are dropped. */
function settleModules(
  spec: App,
  choice: ModuleChoice,
): { readonly modules: ModuleChoice; readonly components: readonly string[] } {
  const selection = selectModules(spec, choiceOf(choice));
  if (selection.faults.length > 0) throw answersProblem(`the modules of ${spec.name}`, selection.faults);
  const modules = Object.fromEntries(
    Object.keys(spec.modules ?? {}).map((name) => [name, selection.on.includes(name)]),
  );
  return { modules, components: selection.components };
}

/** Kept values of parameters that are gone are no fault, and stay for a way back; a new answer to such a one is. */
function settleParameters(
  spec: App,
  components: readonly string[],
  given: {
    readonly kept: Readonly<Record<string, ParameterValue>>;
    readonly answers: Readonly<Record<string, ParameterValue>>;
  },
): Readonly<Record<string, ParameterValue>> {
  const declared = spec.parameters ?? {};
  const kept = Object.fromEntries(
    Object.entries(given.kept).filter(([name]) => Object.hasOwn(declared, name)),
  );
  const asked = askedParameters(spec, components);
  const { values, faults } = checkParameters(declared, { ...kept, ...given.answers }, { asked });
  if (faults.length > 0) throw answersProblem(spec.name, faults);
  return { ...given.kept, ...values };
}

async function allotHostPorts(
  parts: Parts,
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
  const taken = await portsOfOtherApps(parts, appId);
  for (const port of Object.values(held)) taken.add(port);
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

async function portsOfOtherApps(parts: Parts, appId: string): Promise<Set<number>> {
  const ports = new Set<number>();
  let after: string | undefined;
  do {
    const page = await parts.store.apps.list(
      { kind: "all" },
      {},
      after === undefined ? { limit: 200 } : { limit: 200, after },
    );
    for (const summary of page.items) {
      if (summary.id === appId) continue;
      const app = await parts.store.apps.get(summary.id);
      for (const port of Object.values(app.values.hostPorts)) ports.add(port);
    }
    after = page.next;
  } while (after !== undefined);
  return ports;
}
