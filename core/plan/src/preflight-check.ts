export type PreflightState = "pass" | "warn" | "fail";

/** One thing that was looked at before anything is done. */
export interface PreflightCheck {
  /** Stable: `architecture`, `engine`, `kernel`, `cpu`, `memory`, `disk`, `snapshot`, `limits`, `privileged`, `port:8080/tcp`. */
  readonly id: string;
  readonly title: string;
  readonly state: PreflightState;
  /** What is there, in words. */
  readonly found: string;
  /** What is needed, in words. */
  readonly wanted: string;
  /** What to do about it: there for `warn` and `fail`. */
  readonly remedy?: string;
}

/** What one rule makes of the facts: `pass`, or what is wrong together with its way out. */
export type Verdict =
  | { readonly state: "pass"; readonly found: string }
  | { readonly state: "warn" | "fail"; readonly found: string; readonly remedy: string };

export function pass(found: string): Verdict {
  return { state: "pass", found };
}

export function warn(found: string, remedy: string): Verdict {
  return { state: "warn", found, remedy };
}

export function fail(found: string, remedy: string): Verdict {
  return { state: "fail", found, remedy };
}

export const UNKNOWN = "not known";
export const ANYTHING = "nothing in particular";

/** Names for a sentence: at most three, and how many more. */
export function someNames(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(", ");
  const more = names.length - NAMES_SHOWN_MAX;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

const NAMES_SHOWN_MAX = 3;
