import { isEnded, moveRollout, type RolloutEvent, type RolloutState } from "@sampan/plan";
import { isProblem, type Problem } from "@sampan/problem";
import type { Nouns, RecordResult, StoredRecord, StoredRollout } from "@sampan/store";
import { dropLostReferences } from "./data-content.ts";
import type { Parts } from "./parts.ts";

interface Move {
  readonly event: RolloutEvent;
  readonly reason?: string;
}

/** How the record of a rollout ends with it. */
const RESULTS: Partial<Record<RolloutState, Exclude<RecordResult, "running">>> = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  returned: "failed",
  superseded: "cancelled",
};

/** What becomes of the installation. One that went back is what the way back made of it. */
const INSTALLATION: Partial<Record<RolloutState, string>> = {
  succeeded: "installed",
  failed: "failed",
  cancelled: "cancelled",
};

/**
 * Moves a rollout by an event, from the state that it has in the store: in the same transaction its record ends with it. A rollout
 * that has ended meanwhile is left as it is, except that it cannot be cancelled. Gives the state that it then has.
 */
export async function moveTo(
  parts: Pick<Parts, "store" | "hold">,
  of: { readonly rollout: StoredRollout; readonly record: StoredRecord | undefined },
  move: Move,
): Promise<RolloutState> {
  let isDataLost = false;
  const reached = await parts.store.transaction(async (nouns) => {
    const before = (await nouns.rollouts.get(of.rollout.id)).state as RolloutState;
    if (isEnded(before) && move.event !== "cancel") return before;
    const state = moveRollout(before, unlessCancelled(before, move.event));
    const isEnd = isEnded(state);
    const reason = move.reason === undefined ? {} : { reason: move.reason };
    await nouns.rollouts.move(of.rollout.id, { state, ended: isEnd, ...reason });
    if (of.record === undefined) return state;
    if (isEnd) await endRecord(nouns, of.record, state);
    else await nouns.records.update(of.record.id, { rolloutState: state });
    if (isEnd || state === "returning") isDataLost = await failUnfinished(nouns, of.record, move.reason);
    return state;
  });
  if (isDataLost) await dropLostReferences(parts);
  return reached;
}

/** A data snapshot that was not complete by then never will be. */
async function failUnfinished(
  nouns: Nouns,
  { dataSnapshotId: id }: StoredRecord,
  reason: string | undefined,
): Promise<boolean> {
  if (id === undefined) return false;
  const snapshot = await nouns.dataSnapshots.get(id).catch(unlessAbsent);
  if (snapshot?.state !== "taking") return false;
  await nouns.dataSnapshots.fail(id, reason ?? "what it was taken for ended before");
  return true;
}

function unlessAbsent(error: unknown): undefined {
  if (!isProblem(error, "STORE_ABSENT")) throw error;
}

/** Somebody may cancel while the last steps or checks end: then that counts, and not how they ended. */
function unlessCancelled(state: RolloutState, event: RolloutEvent): RolloutEvent {
  const isOutcome = event === "stepsDone" || event === "accepted" || event === "fail" || event === "return";
  return state === "cancelling" && isOutcome ? "stopped" : event;
}

async function endRecord(nouns: Nouns, record: StoredRecord, state: RolloutState): Promise<void> {
  const { teamId } = await nouns.apps.get(record.appId);
  const result = RESULTS[state] ?? "failed";
  await nouns.records.end(record.id, result, { rolloutState: state });
  await nouns.events.add({
    what: `app.${record.kind}`,
    who: record.who,
    outcome: result,
    teamId,
    appId: record.appId,
    subject: record.id,
  });
  const installation = INSTALLATION[state];
  if (installation !== undefined && record.installationId !== undefined)
    await nouns.installations.update(record.installationId, { state: installation });
  if (state === "succeeded" && record.kind === "remove") await nouns.apps.remove(record.appId);
}

const REPEATABLE: ReadonlySet<string> = new Set([
  "RUNTIME_UNREACHABLE",
  "STORE_BUSY",
  "STORE_NO_SPACE",
  "STORE_STALE",
  "STORE_UNAVAILABLE",
]);

/** Whether the same may go well later, with nobody doing anything about it. */
export function isRepeatable(problem: Problem): boolean {
  return REPEATABLE.has(problem.code);
}
