import type { Client } from "@sampan/api";
import {
  type Change,
  type PreflightCheck,
  preflightVerdict,
  renderChanges,
  renderPreflight,
} from "@sampan/plan";
import type { CommandContext } from "./command-context.ts";
import { followRollout } from "./follow-rollout.ts";

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
  context.result({ ...reply, rollout }, () => doneText(reply.plan.steps));
}

function doneText(steps: ChangeReply["plan"]["steps"]): string {
  if (steps.length === 0) return "Nothing had to change.";
  return steps.every(({ kind }) => kind.endsWith(".remove"))
    ? "Done: what was to go is gone; volumes stay."
    : "Done: everything that changed is healthy.";
}

/** `flags`: what decides otherwise about a property, by its path. */
export function renderChange(reply: ChangeReply, flags: DecisionFlags = {}): string {
  const { changes = [], pulledIn = [], remarks = [], plan } = reply;
  return [
    ...preflightLines(reply),
    ...(changes.length === 0 ? [] : [renderPropertyChanges(changes), ""]),
    ...decisionLines(changes, flags),
    ...pulledIn.map((one) => `Also ${one.component}: ${one.because}`),
    ...remarks.map((remark) => `Note: ${remark}`),
    plan.text.trimEnd(),
  ].join("\n");
}

/** All checks where something is amiss; else that nothing is. */
function preflightLines(reply: ChangeReply): string[] {
  const preflight = reply.preflight as readonly PreflightCheck[];
  if (preflight.length === 0) return [];
  if (preflightVerdict(preflight) === "pass") return [`preflight: all ${preflight.length} checks pass`, ""];
  return [renderPreflight(preflight)];
}

export interface DecisionFlags {
  /** Takes the new value of what a rule keeps. */
  readonly take?: string;
  /** Keeps an edit that would be lost. */
  readonly keepEdit?: string;
}

/** By component, a line for each property that differs: what happens, before and after, why; texts line by line. */
export function renderPropertyChanges(changes: readonly PropertyChange[]): string {
  return renderChanges(changes as readonly Change[]).trimEnd();
}

function decisionLines(changes: readonly PropertyChange[], flags: DecisionFlags): string[] {
  const kept = changes.filter(
    ({ action, decided, offered }) => action === "keep" && !decided && offered !== undefined,
  );
  const lost = changes.filter(({ action, laterEdit }) => action !== "keep" && laterEdit === true);
  return [
    ...listOf(flags.take, kept, "Kept; to take the new value"),
    ...listOf(flags.keepEdit, lost, "Edited later and lost; to keep it"),
  ];
}

function listOf(flag: string | undefined, changes: readonly PropertyChange[], says: string): string[] {
  if (flag === undefined || changes.length === 0) return [];
  return [`${says}:`, ...changes.map(({ path }) => `  ${flag} ${path}`), ""];
}
