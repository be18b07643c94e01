/**
 * A fault that a person can act on: what happened, why, and what to do next.
 * Broken invariants throw {@link Bug}; an aborted call throws the signal's own reason.
 */

/** One row of a room's `problems.ts`: how a code is shown at each outside door, and how it is documented. */
export interface ProblemKind {
  /** HTTP status that the API answers with. */
  readonly status: number;
  /** Exit code of the CLI. See {@link EXIT}. */
  readonly exit: number;
  /** One or two sentences for the reference page: when it happens, what mends it. */
  readonly doc: string;
}

/** Exit codes of the CLI, by what the caller can do about it. */
export const EXIT = {
  failed: 1,
  usage: 2,
  refused: 3,
  absent: 4,
  conflict: 5,
  damaged: 6,
  outside: 7,
} as const;

export type ProblemTable = Readonly<Record<string, ProblemKind>>;

/** One fault inside an input: where it is, and what is wrong there. */
export interface Fault {
  /** Dotted path into the input, such as `components.web.ports.http.port`; empty for the whole. */
  readonly path: string;
  /** 1-based line of the text form, where there is one. */
  readonly line?: number;
  readonly message: string;
}

export interface ProblemDetails {
  /** Why: the facts behind it. Never holds a secret. */
  readonly why?: string;
  /** What next, as an instruction. */
  readonly hint?: string;
  /** All faults of an input, in the order of the text. */
  readonly faults?: readonly Fault[];
  readonly cause?: unknown;
}

export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: string;
  readonly kind: ProblemKind;
  readonly why: string | undefined;
  readonly hint: string | undefined;
  readonly faults: readonly Fault[];

  constructor(code: string, kind: ProblemKind, message: string, details: ProblemDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.kind = kind;
    this.why = details.why;
    this.hint = details.hint;
    this.faults = details.faults ?? [];
  }
}

/** A broken invariant: nobody but a maintainer can act on it. It fails the request or pass it happens in, loudly. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/** Makes a room's constructor of problems: only codes of its table are accepted by the compiler. */
export function problemsOf<T extends ProblemTable>(
  table: T,
): (code: keyof T & string, message: string, details?: ProblemDetails) => Problem {
  return (code, message, details) => {
    const kind = table[code];
    if (kind === undefined) throw new Bug(`problem code ${code} is in no table`);
    return new Problem(code, kind, message, details);
  };
}

export function isProblem(error: unknown, code?: string): error is Problem {
  return error instanceof Problem && (code === undefined || error.code === code);
}

/** The exhaustive-switch guard. */
export function unreachable(value: never): never {
  throw new Bug(`unexpected value: ${JSON.stringify(value)}`);
}
