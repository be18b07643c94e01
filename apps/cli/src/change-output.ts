import type { Client } from "@sampan/api";
import { isDigest, shortDigest } from "@sampan/content";
import type { CommandContext } from "./command-context.ts";
import { followRollout } from "./follow-rollout.ts";
import { fitWidth, oneLine } from "./text-width.ts";

type UpgradeReply = Awaited<ReturnType<Client["upgrade"]>>;
export type PropertyChange = UpgradeReply["changes"][number];
/** What every changing route answers; merges also say what differs. */
export type ChangeReply = Awaited<ReturnType<Client["updateApp"]>> & Partial<UpgradeReply>;

/** Shows a planned change, and follows its rollout to the end when there is one. */
export async function showChange(
  context: CommandContext,
  client: Client,
  reply: ChangeReply,
  options: { readonly isShown?: boolean; readonly wait?: boolean } = {},
): Promise<void> {
  const { rolloutId } = reply;
  if (rolloutId === undefined) return context.result(reply, () => renderChange(reply));
  if (options.isShown !== true) context.remark(renderChange(reply));
  if (options.wait === false) {
    const next = `sampan rollout follow ${rolloutId}`;
    return context.result(reply, () => `Rollout ${rolloutId} is under way: ${next}`);
  }
  const rollout = await followRollout(context, client, rolloutId);
  context.result({ ...reply, rollout }, () =>
    reply.plan.steps.length === 0 ? "Nothing had to change." : "Done: everything that changed is healthy.",
  );
}

/**
 * Shows first what would be done, and does it once that was agreed to; refused when the app moves in between.
 * `ask` plans when `dryRun` is true.
 */
export async function confirmChange(
  context: CommandContext,
  client: Client,
  wish: {
    readonly question: string;
    readonly planOnly: boolean;
    readonly wait: boolean;
    readonly ask: (options: { readonly dryRun: boolean; readonly base?: number }) => Promise<ChangeReply>;
  },
): Promise<void> {
  const planned = await wish.ask({ dryRun: true });
  if (wish.planOnly) return context.result(planned, () => renderChange(planned));
  context.remark(renderChange(planned));
  await context.confirm(wish.question);
  const begun = await wish.ask({ dryRun: false, base: planned.plan.base });
  await showChange(context, client, begun, { isShown: true, wait: wish.wait });
}

export function renderChange(reply: ChangeReply): string {
  const { changes = [], pulledIn = [], remarks = [], plan } = reply;
  return [
    ...(changes.length === 0 ? [] : [renderChanges(changes), ""]),
    ...pulledIn.map((one) => `Also ${one.component}: ${one.because}`),
    ...remarks.map((remark) => `Note: ${remark}`),
    plan.text.trimEnd(),
  ].join("\n");
}

/** A line for each property that differs: what happens, before and after, why. */
export function renderChanges(changes: readonly PropertyChange[]): string {
  return ["Changes:", ...changes.map(renderLine)].join("\n");
}

const VALUE_WIDTH_MAX = 60;

function renderLine(change: PropertyChange): string {
  const edit = change.laterEdit === true ? " [edited later]" : "";
  return `  ${change.action.padEnd(6)} ${change.path}  ${valuesOf(change)}(${change.why})${edit}`;
}

/** What is, and what will be; of what is kept, what was offered. */
function valuesOf(change: PropertyChange): string {
  const next = change.action === "keep" ? change.offered : change.after;
  if (change.before === undefined && next === undefined) return "";
  return `${shorten(change.before)} ${change.action === "keep" ? "≠" : "→"} ${shorten(next)}  `;
}

function shorten(value: unknown): string {
  const text = typeof value === "string" ? value : (imageText(value) ?? JSON.stringify(value));
  return text === undefined ? "–" : fitWidth(oneLine(text), VALUE_WIDTH_MAX);
}

/** A pinned image as people know it. */
function imageText(value: unknown): string | undefined {
  const { id, name } = (value ?? {}) as { readonly id?: unknown; readonly name?: unknown };
  if (typeof id !== "string" || typeof name !== "string" || !isDigest(id)) return undefined;
  return `${name} (${shortDigest(id)})`;
}
