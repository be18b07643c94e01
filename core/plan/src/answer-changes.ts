import type { AppBody, Parameter, ParameterValue } from "@sampan/template";
import { type Change, makeChange } from "./change.ts";

/** What a site answered, and the questions. */
export interface Answered {
  readonly spec: Pick<AppBody, "parameters" | "modules">;
  /** By name, with defaults filled in. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** By name: whether it is on. */
  readonly modules: Readonly<Record<string, boolean>>;
}

export interface AnswerChangesInput {
  /** Absent at a first install. */
  readonly before?: Answered | undefined;
  readonly after: Answered;
  /** `answered`: a person gave the answers that are new; `returned`: they are those of a snapshot. */
  readonly by: "answered" | "returned";
  /** Modules that nobody chose, with the reason as a sentence's end. */
  readonly pulledIn?: readonly { readonly name: string; readonly because: string }[];
}

/**
 * What becomes another answer: `parameters.NAME.answer`, passwords masked, and `modules.NAME.on`. A default of something that is new
 * is no answer: what is new says it.
 */
export function answerChanges(input: AnswerChangesInput): readonly Change[] {
  return [...parameterChanges(input), ...moduleChanges(input)];
}

const WHY = { answered: "answered for this change", returned: "back to what it was" } as const;

function parameterChanges({ before, after, by }: AnswerChangesInput): readonly Change[] {
  const names = new Set([...Object.keys(before?.parameters ?? {}), ...Object.keys(after.parameters)]);
  return [...names].flatMap((name) => {
    const [was, is] = [own(before?.parameters, name), own(after.parameters, name)];
    const question = own(after.spec.parameters, name);
    if (was === is || (was === undefined && is === defaultOf(question))) return [];
    const questions = [question, own(before?.spec.parameters, name)].filter((one) => one !== undefined);
    // An answer to what is no question any more may have been a password.
    const isSecret = questions.length === 0 || questions.some((one) => one.type === "password");
    const shown = (value: ParameterValue | undefined) =>
      value !== undefined && isSecret ? { secret: String(value) } : value;
    const change = {
      path: `parameters.${name}.answer`,
      what: `parameter ${name} answer`,
      action: actionOf(was, is),
      why: is === undefined ? "there was no answer then" : WHY[by],
      decided: by === "answered",
    };
    return [makeChange(change, { before: shown(was), after: shown(is) })];
  });
}

function moduleChanges({ before, after, by, pulledIn = [] }: AnswerChangesInput): readonly Change[] {
  return Object.entries(after.modules).flatMap(([name, is]) => {
    const was = own(before?.modules, name);
    const isDefault = (own(after.spec.modules, name)?.default ?? true) === is;
    if (was === is || (was === undefined && isDefault)) return [];
    const because = is ? pulledIn.find((one) => one.name === name)?.because : undefined;
    const change = {
      path: `modules.${name}.on`,
      what: `module ${name} on`,
      action: actionOf(was, is),
      why: because ?? (by === "returned" ? WHY.returned : is ? "turned on" : "turned off; data always stays"),
      decided: by === "answered" && because === undefined,
    };
    return [makeChange(change, { before: was, after: is })];
  });
}

function actionOf(before: unknown, after: unknown): Change["action"] {
  if (before === undefined) return "add";
  return after === undefined ? "remove" : "change";
}

function defaultOf(parameter: Parameter | undefined): ParameterValue | undefined {
  return parameter !== undefined && "default" in parameter ? parameter.default : undefined;
}

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
