import { EXIT, problemsOf } from "@sampan/problem";

export const planProblems = {
  PLAN_STALE: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The engine already carries work of a newer generation of the app. Read the app again and make a new plan.",
  },
  PLAN_NEED_CYCLE: {
    status: 400,
    exit: EXIT.usage,
    doc: "Components need each other in a circle, so none can start first. Take one `needs` away.",
  },
  PLAN_NEED_ABSENT: {
    status: 400,
    exit: EXIT.usage,
    doc: "A component needs one that is not part of the app. Add it, switch its module on, or take the `needs` away.",
  },
  PLAN_PORT_CONFLICT: {
    status: 409,
    exit: EXIT.conflict,
    doc: "Two instances ask for the same port of the site's machine. Choose another port, or one replica.",
  },
  PLAN_NOT_RUNNABLE: {
    status: 400,
    exit: EXIT.usage,
    doc: "Only components of kind job and cron can be run on request.",
  },
  PLAN_NEED_NOT_RUNNING: {
    status: 409,
    exit: EXIT.conflict,
    doc: "A run was asked for, and a component that it needs does not run. Start that one first.",
  },
  PLAN_UNKNOWN_COMPONENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "A component was named that is neither in the release nor in the app. The names that exist are listed.",
  },
  PLAN_DATA_ABSENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "Data of a component was to be captured that has none, or that is not part of the app. The components that have data are listed.",
  },
  PLAN_DATA_UNSEEN: {
    status: 409,
    exit: EXIT.conflict,
    doc: "Data was to be captured or put back, and not all of the app could be seen: something may still write to it. Look at the engine, and try again.",
  },
  PLAN_UNKNOWN_CHANGE: {
    status: 400,
    exit: EXIT.usage,
    doc: "A decision names a property that the change does not touch. Look at the list of changes again: the app may have moved since.",
  },
  PLAN_DECISION_INVALID: {
    status: 400,
    exit: EXIT.usage,
    doc: "A decision gives a property a value that it cannot have, or keeps what cannot be kept. The reason is given.",
  },
  PLAN_ROLLOUT_STATE: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The rollout is in a state in which this cannot be done. The reason is given.",
  },
} as const;

export const planProblem = problemsOf(planProblems);
