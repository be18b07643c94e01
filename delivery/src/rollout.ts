import {
  type Desired,
  moveRollout,
  type Plan,
  type RolloutEvent,
  type RolloutState,
  type StepResults,
} from "@sampan/plan";
import type { StoredApp, StoredRecord, StoredRollout } from "@sampan/store";
import { accept, type CheckResult } from "./accept.ts";
import { apply } from "./apply.ts";
import type { Parts } from "./parts.ts";
import { returnToSnapshot } from "./rollback.ts";

/** What a record keeps beside the store's own columns. */
export interface RecordDetails {
  readonly decisions: unknown;
  readonly onFailure: "return" | "hold";
  /** The rollout whose failure this one makes good. */
  readonly returns?: string;
}

const IN_FLIGHT = 4;
/** Acceptance checks are kept with the steps, under these ids. */
export const CHECK_PREFIX = "check:";

/** Brings one rollout to its end: steps, then acceptance, then success; or failure, and the way back when that was asked for. */
export async function runRollout(parts: Parts, rollout: StoredRollout, signal: AbortSignal): Promise<void> {
  const plan = await parts.store.plans.get(rollout.planId);
  const desired = await parts.store.plans.desired(rollout.planId);
  const record = await recordOf(parts, rollout);
  let state = rollout.state as RolloutState;
  const move = async (event: RolloutEvent, reason?: string): Promise<void> => {
    state = moveRollout(state, event);
    await settleState(parts, { rollout, record, state, ...(reason === undefined ? {} : { reason }) });
  };
  if (state === "returning") return await finishReturn(parts, { rollout, record, move });
  if (state === "planned") await move("start");
  if (state === "running" || state === "cancelling") {
    const results = await apply(
      parts,
      { rolloutId: rollout.id, plan, desired },
      { signal, inFlight: IN_FLIGHT, isCancelled: await cancelWatch(parts, rollout.id, signal) },
    );
    const failure = failureOf(plan, results, await parts.store.rollouts.steps(rollout.id));
    if ((await parts.store.rollouts.get(rollout.id)).state === "cancelling") {
      state = "cancelling";
      return await move("stopped", "it was cancelled");
    }
    if (failure !== undefined) return await fail(parts, { rollout, record, move }, failure);
    await move("stepsDone");
  }
  const failed = await verify(parts, { rollout, plan, desired, record }, signal);
  if (failed !== undefined) return await fail(parts, { rollout, record, move }, failed);
  await move("accepted");
}

interface Ending {
  readonly rollout: StoredRollout;
  readonly record: StoredRecord | undefined;
  readonly move: (event: RolloutEvent, reason?: string) => Promise<void>;
}

async function fail(parts: Parts, ending: Ending, reason: string): Promise<void> {
  const { record } = ending;
  const details = record?.decisions as RecordDetails | undefined;
  if (record === undefined || details?.onFailure !== "return" || !record.hasSnapshot)
    return await ending.move("fail", reason);
  await ending.move("return", reason);
  await finishReturn(parts, ending);
}

/** Begins the way back when that has not been done, and ends this rollout when the way back has ended. */
async function finishReturn(parts: Parts, { rollout, record, move }: Ending): Promise<void> {
  if (record === undefined) return await move("returnFailed");
  const { items } = await parts.store.records.list({ kind: "all" }, { appId: rollout.appId }, { limit: 20 });
  const back = items.find((one) => (one.decisions as RecordDetails).returns === rollout.id);
  if (back === undefined) {
    await returnToSnapshot(parts, record, rollout);
    return;
  }
  if (back.result === "running") return;
  if (back.result === "succeeded")
    await move(
      "returnDone",
      `${rollout.reason ?? "it failed"}; the app went back to what it was (record ${back.id})`,
    );
  else
    await move("returnFailed", `${rollout.reason ?? "it failed"}; going back failed too (record ${back.id})`);
}

async function recordOf(parts: Parts, rollout: StoredRollout): Promise<StoredRecord | undefined> {
  const { items } = await parts.store.records.list({ kind: "all" }, { appId: rollout.appId }, { limit: 200 });
  return items.find((one) => one.rolloutId === rollout.id);
}

/** Whether somebody cancelled, as last seen; looked up when the store tells of a change. */
async function cancelWatch(parts: Parts, rolloutId: string, signal: AbortSignal): Promise<() => boolean> {
  let cancelled = (await parts.store.rollouts.get(rolloutId)).state === "cancelling";
  const stop = parts.store.watch((change) => {
    if (change.noun !== "rollout" || change.id !== rolloutId) return;
    parts.store.rollouts.get(rolloutId).then(
      (now) => {
        cancelled ||= now.state === "cancelling";
      },
      () => stop(),
    );
  });
  signal.addEventListener("abort", stop, { once: true });
  return () => cancelled;
}

function failureOf(
  plan: Plan,
  results: StepResults,
  steps: readonly { readonly stepId: string; readonly message?: string }[],
): string | undefined {
  const failed = plan.steps.filter((step) => results[step.id] === "failed");
  const [first] = failed;
  if (first === undefined) return undefined;
  const message = steps.find((step) => step.stepId === first.id)?.message ?? "it failed";
  const more = failed.length > 1 ? `, and ${failed.length - 1} more` : "";
  return `${first.kind}${"component" in first ? ` ${first.component}` : ""}: ${message}${more}`;
}

/** Runs acceptance; what failed, or undefined. */
async function verify(
  parts: Parts,
  target: {
    readonly rollout: StoredRollout;
    readonly plan: Plan;
    readonly desired: Desired;
    readonly record: StoredRecord | undefined;
  },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { rollout, plan, desired, record } = target;
  if (record === undefined || record.kind === "stop" || record.kind === "remove") return undefined;
  const components = new Set(
    desired.components.filter((component) => component.replicas > 0).map((component) => component.name),
  );
  const { spec } = await parts.store.apps.get(rollout.appId);
  const results = await accept(
    parts,
    { appId: rollout.appId, app: spec, components },
    { signal, onResult: (checks) => keepChecks(parts, rollout.id, plan, checks) },
  );
  const failed = results.filter((check) => check.state === "failed");
  const [first] = failed;
  return first === undefined
    ? undefined
    : `acceptance: ${first.name}: ${first.message ?? "failed"}${failed.length > 1 ? `, and ${failed.length - 1} more` : ""}`;
}

async function keepChecks(
  parts: Parts,
  rolloutId: string,
  plan: Plan,
  checks: readonly CheckResult[],
): Promise<void> {
  const known = new Set(
    (await parts.store.rollouts.steps(rolloutId))
      .filter((step) => step.state !== "running")
      .map((step) => step.stepId),
  );
  for (const [position, check] of checks.entries()) {
    const stepId = `${CHECK_PREFIX}${check.name}`;
    if (check.state === "pending" || known.has(stepId)) continue;
    await parts.store.rollouts.endStep(rolloutId, {
      stepId,
      ordinal: plan.steps.length + position,
      state: check.state === "passed" ? "succeeded" : "failed",
      ...(check.message === undefined ? {} : { message: check.message }),
    });
  }
}

const ENDS: Partial<Record<RolloutState, "succeeded" | "failed" | "cancelled">> = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  returned: "failed",
  superseded: "cancelled",
};

/** Writes the state, and with a last one how the record ended: in one transaction. */
async function settleState(
  parts: Parts,
  to: {
    readonly rollout: StoredRollout;
    readonly record: StoredRecord | undefined;
    readonly state: RolloutState;
    readonly reason?: string;
  },
): Promise<void> {
  const { rollout, record, state } = to;
  const result = ENDS[state];
  await parts.store.transaction(async (nouns) => {
    await nouns.rollouts.move(rollout.id, {
      state,
      ended: result !== undefined,
      ...(to.reason === undefined ? {} : { reason: to.reason }),
    });
    if (record === undefined) return;
    if (result === undefined) await nouns.records.update(record.id, { rolloutState: state });
    else await nouns.records.end(record.id, result, { rolloutState: state });
    if (result !== undefined && record.installationId !== undefined) {
      await nouns.installations.update(record.installationId, {
        state: result === "succeeded" ? "installed" : "failed",
      });
    }
    if (result === "succeeded" && record.kind === "remove") await nouns.apps.remove(rollout.appId);
  });
}

/** Stops a rollout before its next step; what was done stays. */
export async function cancelRollout(
  parts: Parts,
  app: StoredApp,
  rollout: StoredRollout,
): Promise<StoredRollout> {
  const state = moveRollout(rollout.state as RolloutState, "cancel");
  const moved = await parts.store.rollouts.move(rollout.id, { state });
  parts.wake(app.id);
  return moved;
}
