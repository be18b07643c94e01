import { isProblem, type Problem } from "./problem.ts";

const FAULTS_SHOWN_MAX = 100;

/** The three lines a person reads (STYLE.md), with the faults of an input between them. */
export function renderProblem(problem: Problem): string {
  const lines = [`error[${problem.code}]: ${problem.message}`];
  if (problem.why !== undefined) lines.push(`  why: ${problem.why}`);
  for (const fault of problem.faults.slice(0, FAULTS_SHOWN_MAX)) {
    const where = [fault.path, fault.line === undefined ? "" : `line ${fault.line}`]
      .filter(Boolean)
      .join(", ");
    lines.push(`    - ${where === "" ? "" : `${where}: `}${fault.message}`);
  }
  if (problem.faults.length > FAULTS_SHOWN_MAX)
    lines.push(`    … ${problem.faults.length - FAULTS_SHOWN_MAX} more`);
  if (problem.hint !== undefined) lines.push(`  fix: ${problem.hint}`);
  return lines.join("\n");
}

/** RFC 9457 problem details, as the API sends them. */
export interface ProblemJson {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  /** What a command line ends with. */
  readonly exit?: number;
  readonly why?: string;
  readonly hint?: string;
  readonly faults?: readonly { readonly path: string; readonly line?: number; readonly message: string }[];
}

export function problemJson(problem: Problem): ProblemJson {
  return {
    type: `urn:sampan:problem:${problem.code}`,
    title: problem.message,
    status: problem.kind.status,
    code: problem.code,
    exit: problem.kind.exit,
    ...(problem.why === undefined ? {} : { why: problem.why }),
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    ...(problem.faults.length === 0 ? {} : { faults: problem.faults }),
  };
}

/** One line for logs and records: the message of a problem, or of any other error. */
export function describeError(error: unknown): string {
  if (isProblem(error)) return `${error.message}${error.why === undefined ? "" : ` (${error.why})`}`;
  return error instanceof Error ? error.message : String(error);
}
