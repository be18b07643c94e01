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
