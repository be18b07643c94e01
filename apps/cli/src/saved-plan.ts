import { writeFile } from "node:fs/promises";
import { isDigest } from "@sampan/content";
import { promptFor } from "./answers.ts";
import { type ChangeReply, renderChange } from "./change-output.ts";
import type { CommandContext } from "./command-context.ts";
import { readLocalText } from "./local-file.ts";
import { noteFor } from "./note.ts";
import { chooseOutputPath } from "./output-path.ts";
import {
  type ChangeFlags,
  carryOut,
  PLANNED_VERBS,
  plan,
  refuseFailedPreflight,
  type Shown,
  type Wish,
} from "./planned-change.ts";
import { cliProblem } from "./problems.ts";

/** A change that somebody looked at, to be done later: what was wished for, and the fingerprint of what it would do. */
interface SavedPlan {
  readonly format: string;
  readonly wish: Wish;
  readonly question?: string;
  readonly ignorePreflight?: true;
  readonly note?: string;
  /** What was left out because it is secret, and has to be given again: names of parameters. */
  readonly asks: readonly string[];
  readonly base: number;
  readonly digest: string;
  readonly savedAt: string;
  /** As it was shown. */
  readonly text: string;
}

const FORMAT = "sampan-plan/1";
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Writes a plan into a file that only its owner may read. Gives its path. Throws CLI_FILE. */
export async function savePlan(
  context: CommandContext,
  plan: {
    readonly wish: Wish;
    readonly planned: ChangeReply;
    readonly text: string;
    readonly options: ChangeFlags & Shown;
    readonly path: string;
  },
): Promise<string> {
  const { wish, planned, text, options } = plan;
  refuseSecretEdits(wish, planned);
  const path = await chooseOutputPath(context, { given: plan.path, name: "plan.json" });
  const { parameters, ...body } = wish.body as { readonly parameters?: Readonly<Record<string, unknown>> };
  const given = Object.entries(parameters ?? {});
  const isSecret = ([name]: [string, unknown]) => options.secrets?.includes(name) === true;
  const saved: SavedPlan = {
    format: FORMAT,
    wish: {
      ...wish,
      body: {
        ...body,
        ...(parameters === undefined
          ? {}
          : { parameters: Object.fromEntries(given.filter((one) => !isSecret(one))) }),
      },
    },
    asks: given.filter(isSecret).map(([name]) => name),
    ...(options.question === undefined ? {} : { question: options.question }),
    ...(options.ignorePreflight === undefined ? {} : { ignorePreflight: true }),
    ...(options.note === undefined ? {} : { note: options.note }),
    base: planned.plan.base,
    digest: planned.plan.digest,
    savedAt: new Date(context.clock.nowMs()).toISOString(),
    text,
  };
  await writeFile(path, `${JSON.stringify(saved, null, 2)}\n`, { mode: 0o600 });
  return path;
}

/** A value that was written by hand in the place of a secret is one. */
function refuseSecretEdits({ body }: Wish, { changes = [] }: ChangeReply): void {
  const decisions = (body.decisions ?? {}) as Readonly<Record<string, unknown>>;
  const secret = changes.find(({ path, secret }) => secret && typeof decisions[path] === "object");
  if (secret === undefined) return;
  throw cliProblem("CLI_USAGE", `a plan with a new value of ${secret.path} cannot be kept in a file`, {
    why: "it is a secret, and would stand in the file",
    hint: "do the upgrade without --save, or change the secret afterwards",
  });
}

/**
 * Does what a file says, if it would still do the same. What is shown is planned anew: the file's own words are for those who read it.
 * `answers`: what the file does not hold because it is secret.
 */
export async function applySavedPlan(
  context: CommandContext,
  path: string,
  options: {
    readonly note?: string;
    readonly wait: boolean;
    readonly answers: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const saved = parseSavedPlan(path, await readLocalText(path, { sizeBytesMax: FILE_BYTES_MAX }));
  const client = await context.client();
  const wish = withAnswers(saved.wish, await secretAnswers(context, saved, options.answers));
  const planned = await plan(client, wish, saved);
  context.remark(renderChange(planned));
  refuseFailedPreflight(planned, saved);
  const note = await noteFor(context, client, options.note ?? saved.note);
  await context.confirm(saved.question ?? "Do it?");
  await carryOut(context, client, wish, {
    base: saved.base,
    digest: saved.digest,
    wait: options.wait,
    ...(note === undefined ? {} : { note }),
    ...(saved.ignorePreflight === undefined ? {} : { ignorePreflight: true }),
  });
}

async function secretAnswers(
  context: CommandContext,
  { asks }: SavedPlan,
  given: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const answers: Record<string, string> = { ...given };
  for (const name of asks) {
    if (answers[name] !== undefined) continue;
    if (!context.mayAsk)
      throw cliProblem("CLI_USAGE", `the plan does not hold the answer of ${name}`, {
        why: "it is a secret, and secrets are not written into plans",
        hint: `give it again: -p ${name}=…`,
      });
    answers[name] = await promptFor(context, { name, type: "password" });
  }
  return answers;
}

function withAnswers(wish: Wish, answers: Readonly<Record<string, string>>): Wish {
  const { parameters } = wish.body as { readonly parameters?: Readonly<Record<string, unknown>> };
  if (parameters === undefined) return wish;
  return { ...wish, body: { ...wish.body, parameters: { ...parameters, ...answers } } };
}

function parseSavedPlan(path: string, text: string): SavedPlan {
  const value = parseJson(text);
  const format = String(value.format ?? "");
  if (/^sampan-plan\/\d+$/.test(format) && format !== FORMAT)
    throw cliProblem("CLI_FILE", `${path} is a plan of a newer format`, {
      why: `it says ${format}, and this version reads ${FORMAT}`,
      hint: "apply it with the version that made it",
    });
  const wish = value.wish as Partial<Wish> | undefined;
  const isPlan =
    format === FORMAT &&
    PLANNED_VERBS.some((verb) => verb === wish?.verb) &&
    isObject(wish?.body) &&
    (wish?.params === undefined || isObject(wish.params)) &&
    Number.isSafeInteger(value.base) &&
    isDigest(value.digest) &&
    typeof value.text === "string" &&
    Array.isArray(value.asks) &&
    value.asks.every((name) => typeof name === "string");
  if (isPlan) return value as unknown as SavedPlan;
  throw cliProblem("CLI_FILE", `${path} is no plan that was kept with --save`, {
    hint: "for an app.yaml: sampan apply -f FILE",
  });
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
