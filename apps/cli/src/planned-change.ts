import type { Client } from "@sampan/api";
import { type ChangeReply, type DecisionFlags, renderChange, showChange } from "./change-output.ts";
import type { CommandContext } from "./command-context.ts";
import { noteFor } from "./note.ts";
import { cliProblem } from "./problems.ts";
import { savePlan } from "./saved-plan.ts";

/** Routes that plan with `dryRun`, and do what was planned with its base and digest. */
export const PLANNED_VERBS = [
  "install",
  "upgrade",
  "rollback",
  "switchModules",
  "takeSnapshot",
  "restoreSnapshot",
] as const;

/** What is asked of such a route. */
export interface Wish {
  readonly verb: (typeof PLANNED_VERBS)[number];
  readonly params?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ChangeFlags {
  /** Only show it. */
  readonly plan?: true;
  /** Only show it, and keep it in a file. */
  readonly save?: string;
  readonly note?: string;
  readonly ignorePreflight?: true;
  readonly wait: boolean;
}

export interface Shown {
  /** Asked before it is done; not asked when absent. */
  readonly question?: string;
  readonly decisions?: DecisionFlags;
  /** Parameters whose answers are secret: no file holds them. */
  readonly secrets?: readonly string[];
  /** It is no change of an installation, and wants no note. */
  readonly isPlain?: true;
}

/** Shows what would be done; then does exactly that once it was agreed to, or keeps it for later, or leaves it at that. */
export async function planAndDo(
  context: CommandContext,
  client: Client,
  wish: Wish,
  options: ChangeFlags & Shown,
): Promise<void> {
  const planned = await plan(client, wish);
  const text = renderChange(planned, options.decisions);
  if (options.save !== undefined) {
    const path = await savePlan(context, { wish, planned, text, options, path: options.save });
    return context.result({ ...planned, path }, () => `${text}\nKept in ${path}: sampan apply ${path}`);
  }
  if (options.plan === true) return context.result(planned, () => text);
  context.remark(text);
  refuseFailedPreflight(planned, options);
  const note = options.isPlain === true ? options.note : await noteFor(context, client, options.note);
  if (options.question !== undefined) await context.confirm(options.question);
  await carryOut(context, client, wish, {
    ...options,
    ...planned.plan,
    ...(note === undefined ? {} : { note }),
  });
}

/** Does what was planned, while it still is what would be done. */
export async function carryOut(
  context: CommandContext,
  client: Client,
  wish: Wish,
  of: Pick<ChangeFlags, "note" | "ignorePreflight" | "wait"> & {
    readonly base: number;
    readonly digest: string;
  },
): Promise<void> {
  const done = await send(client, wish, {
    dryRun: false,
    base: of.base,
    expect: of.digest,
    ...(of.note === undefined ? {} : { note: of.note }),
    ...(of.ignorePreflight === undefined ? {} : { ignorePreflight: true }),
  });
  await showChange(context, client, done, { isShown: true, wait: of.wait });
}

/** With `as`: refused unless it is what was planned then. */
export function plan(
  client: Client,
  wish: Wish,
  as?: { readonly base: number; readonly digest: string },
): Promise<ChangeReply> {
  return send(client, wish, {
    dryRun: true,
    ...(as === undefined ? {} : { base: as.base, expect: as.digest }),
  });
}

async function send(
  client: Client,
  wish: Wish,
  more: Readonly<Record<string, unknown>>,
): Promise<ChangeReply> {
  // All of them take parameters and a body; what is in them was typed where the wish was made, and is checked by the server.
  const ask = client[wish.verb] as (request: unknown) => Promise<ChangeReply>;
  return await ask({
    ...(wish.params === undefined ? {} : { params: wish.params }),
    body: { ...wish.body, ...more },
  });
}

/** Said before anything is asked; the server would refuse it all the same. */
export function refuseFailedPreflight(
  { preflight }: ChangeReply,
  { ignorePreflight }: Pick<ChangeFlags, "ignorePreflight">,
): void {
  const failed = preflight.filter(({ state }) => state === "fail");
  if (failed.length === 0 || ignorePreflight === true) return;
  throw cliProblem("CLI_PREFLIGHT_FAILED", "the site does not have what this takes", {
    faults: failed.map(({ id, title, found, wanted, remedy = "" }) => ({
      path: id,
      message: `${title}: ${found}, wanted ${wanted}. ${remedy}`.trim(),
    })),
    hint: "mend it and try again, or go on all the same with --ignore-preflight",
  });
}
