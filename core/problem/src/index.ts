export {
  Bug,
  EXIT,
  type Fault,
  isProblem,
  Problem,
  type ProblemDetails,
  type ProblemKind,
  type ProblemTable,
  problemsOf,
  unreachable,
} from "./problem.ts";
export { describeError, type ProblemJson, problemJson, renderProblem } from "./render.ts";
