import {
  type Desired,
  isEnded,
  type Plan,
  type RolloutEvent,
  type RolloutState,
  type StepResults,
} from "@sampan/plan";
import { describeError, isProblem } from "@sampan/problem";
import type { StoredApp, StoredRecord, StoredRollout } from "@sampan/store";
import { accept, CHECK_PREFIX, type CheckResult } from "./accept.ts";
import { apply } from "./apply.ts";
import { isRepeatable, moveTo } from "./move-rollout.ts";
import type { Parts } from "./parts.ts";
import { findRecord, type RecordDetails, recordOfRollout } from "./records.ts";
import { keepReport } from "./report.ts";
import { returnToSnapshot } from "./rollback.ts";

/** What of a rollout stays the same while it runs. */
interface Running {
  readonly rollout: StoredRollout;
  readonly record: StoredRecord | undefined;
  readonly plan: Plan;
  readonly desired: Desired;
  /** Aborts when somebody cancels. */
  readonly cancel: AbortSignal;
  readonly move: (event: RolloutEvent, reason?: string) => Promise<RolloutState>;
}

/** Brings one rollout to its end: steps, then acceptance, then success; or failure, and the way back when that was asked for. Then it is reported. */
export async function runRollout(parts: Parts, rollout: StoredRollout, signal: AbortSignal): Promise<void> {
  const record = await recordOfRollout(parts, rollout);
  await bringToEnd(parts, { rollout, record }, signal);
  if (record !== undefined) await keepReport(parts, record.id);
}

async function bringToEnd(
  parts: Parts,
  { rollout, record }: Pick<Running, "rollout" | "record">,
  signal: AbortSignal,
): Promise<void> {
  const move = (event: RolloutEvent, reason?: string) =>
    moveTo(parts, { rollout, record }, { event, ...(reason === undefined ? {} : { reason }) });
  const state = await move("start");
  if (isEnded(state)) return;
  if (state === "returning") return await goBack(parts, { rollout, record, move });
  const cancelled = await watchCancel(parts, rollout.id);
  try {
    const plan = await parts.store.plans.get(rollout.planId);
    const desired = await parts.store.plans.desired(rollout.planId);
    const running: Running = { rollout, record, plan, desired, cancel: cancelled.signal, move };
    if ((await carryOutSteps(parts, running, state, signal)) === "verifying")
      await verify(parts, running, signal);
  } finally {
    cancelled.stop();
  }
}

async function carryOutSteps(
  parts: Parts,
  running: Running,
  state: RolloutState,
  signal: AbortSignal,
): Promise<RolloutState> {
  if (state !== "running" && state !== "cancelling") return state;
  const { rollout, plan, desired, cancel, move } = running;
  const options = { signal, cancel, inFlight: parts.inFlight };
  const results = await apply(parts, { rolloutId: rollout.id, plan, desired }, options);
  const failure = failureOf(plan, results, await parts.store.rollouts.steps(rollout.id));
  if (failure === undefined) return await move("stepsDone");
  return await fail(parts, running, failure, { hasBegun: !isDataUndone(plan, results) });
}

/** Data comes before all that is new: while that is not done, nothing of the new has begun, and what was stopped for it only stands still. */
function isDataUndone(plan: Plan, results: StepResults): boolean {
  return plan.steps.some(
    ({ id, kind }) => (kind === "data.capture" || kind === "data.restore") && results[id] !== "done",
  );
}

/** Runs acceptance, unless there is nothing to accept. */
async function verify(parts: Parts, running: Running, signal: AbortSignal): Promise<void> {
  const { rollout, record, plan, desired, cancel, move } = running;
  const isAccepted = record !== undefined && record.kind !== "stop" && record.kind !== "remove";
  const components = desired.components.filter((one) => isAccepted && one.replicas > 0);
  const { spec } = await parts.store.apps.get(rollout.appId);
  try {
    const results = await accept(
      parts,
      { appId: rollout.appId, app: spec, components: new Set(components.map((one) => one.name)) },
      {
        signal: AbortSignal.any([signal, cancel]),
        onBegin: (name, position) =>
          parts.store.rollouts.beginStep(rollout.id, {
            stepId: `${CHECK_PREFIX}${name}`,
            ordinal: plan.steps.length + position,
          }),
        onResult: (check, position) => keepCheck(parts, rollout.id, check, plan.steps.length + position),
      },
    );
    const [first, ...more] = results.filter((check) => check.state === "failed");
    const left = record?.kind === "remove" ? await leftOf(parts, rollout.appId, signal) : undefined;
    if (left !== undefined) await fail(parts, running, left);
    else if (first === undefined) await move("accepted");
    else {
      const others = more.length > 0 ? `, and ${more.length} more` : "";
      await fail(parts, running, `acceptance: ${first.name}: ${first.message ?? "failed"}${others}`);
    }
  } catch (error) {
    if (signal.aborted || !cancel.aborted) throw error;
    await move("stopped");
  }
}

/** What is still there of an app that is to go. It is forgotten only once the engine has nothing of it that runs. */
async function leftOf(parts: Parts, appId: string, signal: AbortSignal): Promise<string | undefined> {
  const { complete, remarks, instances } = await parts.driver.observe({ id: appId, images: [] }, signal);
  if (!complete) return `not all of the app could be seen: ${remarks.join("; ")}`;
  if (instances.length === 0) return undefined;
  return `still there: ${instances.map(({ component, index }) => `${component} ${index}`).join(", ")}`;
}

type Ending = Pick<Running, "rollout" | "record" | "move">;

/** Goes back when that was asked for; and whatever was asked for, while nothing of the new has begun. A way back does not. */
async function fail(
  parts: Parts,
  ending: Ending,
  reason: string,
  { hasBegun }: { readonly hasBegun: boolean } = { hasBegun: true },
): Promise<RolloutState> {
  const { record } = ending;
  const details = record?.decisions as RecordDetails | undefined;
  const returns = details?.onFailure === "return" || (!hasBegun && details?.returns === undefined);
  if (record === undefined || !returns || !record.hasSnapshot) return await ending.move("fail", reason);
  const state = await ending.move("return", reason);
  if (state === "returning") await goBack(parts, ending);
  return state;
}

/**
 * Begins the way back when that has not been done, and ends this rollout when the way back has ended. A way back that cannot even be
 * planned ends it too: else the app would be busy for ever.
 */
async function goBack(parts: Parts, { rollout, record, move }: Ending): Promise<void> {
  if (record === undefined) {
    await move("returnFailed");
    return;
  }
  const failed = (await parts.store.rollouts.get(rollout.id)).reason ?? "it failed";
  const returns = (one: StoredRecord) => (one.decisions as RecordDetails).returns === rollout.id;
  const back = await findRecord(parts, rollout.appId, returns);
  if (back?.result === "running") return;
  if (back?.result === "succeeded") {
    await move(
      "returnDone",
      `${failed}; the app went back to what it was${exceptOf(record, back)} (record ${back.id})`,
    );
    return;
  }
  if (back !== undefined) {
    await move("returnFailed", `${failed}; going back failed too (record ${back.id})`);
    return;
  }
  try {
    await returnToSnapshot(parts, record, failed);
  } catch (error) {
    if (isProblem(error) && isRepeatable(error)) throw error;
    await move("returnFailed", `${failed}; going back is not possible: ${describeError(error)}`);
  }
}

/** Data that it put back, without capturing first what was there, has not gone back. */
function exceptOf(record: StoredRecord, back: StoredRecord): string {
  const restored = (one: StoredRecord) => (one.decisions as RecordDetails).restored !== undefined;
  return restored(record) && !restored(back) ? ", but for data that was put back" : "";
}

/** Aborts its signal once somebody cancels; `stop` must be called. */
async function watchCancel(
  parts: Parts,
  rolloutId: string,
): Promise<{ readonly signal: AbortSignal; readonly stop: () => void }> {
  const cancel = new AbortController();
  const look = async (): Promise<void> => {
    const { state } = await parts.store.rollouts.get(rolloutId);
    if (state === "cancelling") cancel.abort(new DOMException("somebody cancelled", "AbortError"));
  };
  const stop = parts.store.watch((change) => {
    // A rollout that is gone, or a store that is closed, is noticed by whoever works at it.
    if (change.noun === "rollout" && change.id === rolloutId) look().catch(() => undefined);
  });
  await look();
  return { signal: cancel.signal, stop };
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

async function keepCheck(
  parts: Parts,
  rolloutId: string,
  check: CheckResult,
  ordinal: number,
): Promise<void> {
  await parts.store.rollouts.endStep(rolloutId, {
    stepId: `${CHECK_PREFIX}${check.name}`,
    ordinal,
    state: check.state === "passed" ? "succeeded" : "failed",
    ...(check.message === undefined ? {} : { message: check.message }),
  });
}

/** Stops a rollout before its next step; what was done stays. Throws PLAN_ROLLOUT_STATE when it is too late for that. */
export async function cancelRollout(
  parts: Parts,
  app: StoredApp,
  rollout: StoredRollout,
): Promise<StoredRollout> {
  const record = await recordOfRollout(parts, rollout);
  await moveTo(parts, { rollout, record }, { event: "cancel", reason: "somebody cancelled it" });
  parts.wake(app.id);
  return await parts.store.rollouts.get(rollout.id);
}
