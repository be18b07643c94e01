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
  type ModuleSelection,
  makeGenerated,
  type ParameterValue,
  selectModules,
} from "@sampan/template";
import { allotHostPorts } from "./host-ports.ts";
import { type Pins, pinImages } from "./images.ts";
import type { Parts } from "./parts.ts";

export type ModuleChoice = Readonly<Record<string, boolean>>;

export interface Unsettled {
  readonly app: { readonly id: string; readonly slug: string };
  readonly teamId: string;
  readonly generation: number;
  readonly spec: App;
  /** What the app has now; generated values and ports are kept. */
  readonly values: AppValues;
  readonly answers: Readonly<Record<string, ParameterValue>>;
  /** What is switched now. */
  readonly modules: ModuleChoice;
  /** What was on and off: it stays so, unless something that is on requires it. */
  readonly modulesBefore: ModuleChoice;
  readonly stopped: boolean;
  /** What names of images stood for. */
  readonly pins: Pins;
  /** `keep`: names stand for what they stood for; `renew`: for what they stand for now, or stood for where they are gone. */
  readonly images: "keep" | "renew";
}

export interface Settled {
  readonly spec: App;
  readonly values: AppValues;
  readonly modules: ModuleChoice;
  /** Modules that came on because others require them. */
  readonly pulledIn: ModuleSelection["pulledIn"];
  readonly desired: Desired;
}

/**
 * From what an app says to what should run: ids given, images found, parameters checked, secrets made, ports allotted.
 * Throws with every fault of its kind: TEMPLATE_ANSWERS_INVALID, IMAGE_ABSENT, TEMPLATE_INVALID.
 */
export async function settle(parts: Parts, unsettled: Unsettled, signal?: AbortSignal): Promise<Settled> {
  const spec = assignComponentIds(unsettled.spec, () => parts.newId("cmp"));
  const { modules, components, pulledIn } = settleModules(spec, unsettled);
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
  const images = await pinImages(parts, spec, {
    pins: unsettled.pins,
    prefer: unsettled.images,
    teamId: unsettled.teamId,
    signal,
  });
  const { desired, faults } = resolve(spec, {
    appRef: unsettled.app,
    generation: unsettled.generation,
    // What is kept for a way back is no answer to anything now.
    values: { ...values, parameters: declaredOf(spec, parameters) },
    modules: choiceOf(modules),
    images,
    sha256: parts.sha256,
  });
  if (desired === undefined) throw appProblem(`the app ${spec.name}`, faults);
  return { spec, values, modules, pulledIn, desired: unsettled.stopped ? stoppedOf(desired) : desired };
}

function stoppedOf(desired: Desired): Desired {
  return { ...desired, components: desired.components.map((component) => ({ ...component, replicas: 0 })) };
}

function choiceOf(modules: ModuleChoice): { readonly on: string[]; readonly off: string[] } {
  const names = Object.keys(modules);
  return { on: names.filter((name) => modules[name]), off: names.filter((name) => !modules[name]) };
}

/**
 * Which modules are on, all of them named. What was on or off before is only where it begins: it is what is switched now that may not be
 * overruled. Choices of before about modules that are gone are dropped.
 */
function settleModules(
  spec: App,
  { modules: switched, modulesBefore }: Pick<Unsettled, "modules" | "modulesBefore">,
): {
  readonly modules: ModuleChoice;
  readonly components: readonly string[];
  readonly pulledIn: ModuleSelection["pulledIn"];
} {
  const begin = Object.entries(spec.modules ?? {}).map(([name, module]) => {
    const was = Object.hasOwn(modulesBefore, name) ? modulesBefore[name] : undefined;
    return [name, was === undefined ? module : { ...module, default: was }];
  });
  const selection = selectModules({ ...spec, modules: Object.fromEntries(begin) }, choiceOf(switched));
  if (selection.faults.length > 0) throw answersProblem(`the modules of ${spec.name}`, selection.faults);
  const { on, components, pulledIn } = selection;
  const modules = Object.fromEntries(
    Object.keys(spec.modules ?? {}).map((name) => [name, on.includes(name)]),
  );
  return { modules, components, pulledIn };
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
  const kept = declaredOf(spec, given.kept);
  const asked = askedParameters(spec, components);
  const { values, faults } = checkParameters(declared, { ...kept, ...given.answers }, { asked });
  if (faults.length > 0) throw answersProblem(spec.name, faults);
  return { ...given.kept, ...values };
}

function declaredOf(
  spec: App,
  values: Readonly<Record<string, ParameterValue>>,
): Readonly<Record<string, ParameterValue>> {
  const declared = spec.parameters ?? {};
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(declared, name)));
}
