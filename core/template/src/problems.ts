import { EXIT, type Fault, type Problem, problemsOf } from "@sampan/problem";

export const templateProblems = {
  TEMPLATE_INVALID: {
    status: 422,
    exit: EXIT.usage,
    doc: "An app or a release is not as it must be. Every fault is listed with its path and line; mend them and try again.",
  },
  TEMPLATE_ANSWERS_INVALID: {
    status: 422,
    exit: EXIT.usage,
    doc: "Answers to parameters, or the choice of modules, break a rule of the release. Every fault is listed; answer again.",
  },
} as const;

export const templateProblem = problemsOf(templateProblems);

/** One problem with all faults of an app or release. `what` names it: a file, or a release. */
export function appProblem(what: string, faults: readonly Fault[]): Problem {
  return templateProblem("TEMPLATE_INVALID", `${what} is not valid`, {
    why: `it has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}`,
    faults,
    hint: "mend what is listed, then try again",
  });
}

/** One problem with all faults of parameters and modules that somebody chose. */
export function answersProblem(what: string, faults: readonly Fault[]): Problem {
  return templateProblem("TEMPLATE_ANSWERS_INVALID", `the answers for ${what} cannot be used`, {
    why: `${faults.length === 1 ? "one of them is" : `${faults.length} of them are`} wrong or missing`,
    faults,
    hint: "change what is listed",
  });
}
