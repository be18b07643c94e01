import { planProblem } from "./problems.ts";

/**
 * The state machine of a rollout: one attempt at a plan (SPEC.md, rules R1 to R9).
 *
 *     planned ─start─► running ─stepsDone─► verifying ─accepted─► succeeded
 *        │               │  │                  │
 *        │             cancel └──── failed ────┤ failed ─► failed
 *      cancel            ▼                     │ return ─► returning ─returnDone───► returned
 *        │           cancelling ─stopped─► cancelled        └─────────returnFailed─► failed
 *        └──────────────────────────────────►┘
 *
 * `supersede` ends whatever has not ended, in favour of a newer generation.
 */

export type RolloutState =
  | "planned"
  | "running"
  | "verifying"
  | "cancelling"
  | "returning"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "returned"
  | "superseded";

export type RolloutEvent =
  | "start"
  | "stepsDone"
  | "accepted"
  | "fail"
  | "return"
  | "returnDone"
  | "returnFailed"
  | "cancel"
  | "stopped"
  | "supersede";

type Cell = RolloutState | { readonly no: string };

const no = (reason: string): Cell => ({ no: reason });
const ENDED = no("it has ended");
const NOT_BEGUN = no("it has not begun");
const TOO_LATE = no("it is on its way back, or being stopped");

const ended: Readonly<Record<RolloutEvent, Cell>> = {
  start: ENDED,
  stepsDone: ENDED,
  accepted: ENDED,
  fail: ENDED,
  return: ENDED,
  returnDone: ENDED,
  returnFailed: ENDED,
  cancel: ENDED,
  stopped: ENDED,
  supersede: ENDED,
};

/** Complete: the compiler finds the forgotten cell. */
export const ROLLOUT_TABLE: Readonly<Record<RolloutState, Readonly<Record<RolloutEvent, Cell>>>> = {
  planned: {
    start: "running",
    stepsDone: NOT_BEGUN,
    accepted: NOT_BEGUN,
    fail: "failed",
    return: NOT_BEGUN,
    returnDone: NOT_BEGUN,
    returnFailed: NOT_BEGUN,
    cancel: "cancelled",
    stopped: NOT_BEGUN,
    supersede: "superseded",
  },
  running: {
    start: "running",
    stepsDone: "verifying",
    accepted: no("its steps are not done"),
    fail: "failed",
    return: "returning",
    returnDone: no("it is not on its way back"),
    returnFailed: no("it is not on its way back"),
    cancel: "cancelling",
    stopped: no("nobody cancelled it"),
    supersede: "superseded",
  },
  verifying: {
    start: "verifying",
    stepsDone: "verifying",
    accepted: "succeeded",
    fail: "failed",
    return: "returning",
    returnDone: no("it is not on its way back"),
    returnFailed: no("it is not on its way back"),
    cancel: "cancelling",
    stopped: no("nobody cancelled it"),
    supersede: "superseded",
  },
  cancelling: {
    start: "cancelling",
    stepsDone: TOO_LATE,
    accepted: TOO_LATE,
    fail: "cancelled",
    return: TOO_LATE,
    returnDone: TOO_LATE,
    returnFailed: TOO_LATE,
    cancel: "cancelling",
    stopped: "cancelled",
    supersede: "superseded",
  },
  returning: {
    start: "returning",
    stepsDone: TOO_LATE,
    accepted: TOO_LATE,
    fail: TOO_LATE,
    return: "returning",
    returnDone: "returned",
    returnFailed: "failed",
    cancel: TOO_LATE,
    stopped: TOO_LATE,
    supersede: "superseded",
  },
  succeeded: ended,
  failed: ended,
  cancelled: ended,
  returned: ended,
  superseded: ended,
};

/** Whether nothing more will happen. */
export function isEnded(state: RolloutState): boolean {
  return ROLLOUT_TABLE[state] === ended;
}

/** Whether the event may come now; with the reason when it may not: what enables a button, or explains why it is not. */
export function canRollout(
  state: RolloutState,
  event: RolloutEvent,
): { readonly can: true } | { readonly can: false; readonly because: string } {
  const cell = ROLLOUT_TABLE[state][event];
  return typeof cell === "string" ? { can: true } : { can: false, because: cell.no };
}

/** The next state. Throws PLAN_ROLLOUT_STATE when the event may not come now. */
export function moveRollout(state: RolloutState, event: RolloutEvent): RolloutState {
  const cell = ROLLOUT_TABLE[state][event];
  if (typeof cell === "string") return cell;
  throw planProblem("PLAN_ROLLOUT_STATE", `a rollout that is ${state} cannot ${event}`, {
    why: cell.no,
    hint: "look at it again",
  });
}
