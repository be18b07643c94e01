import type { Problem } from "@sampan/problem";
import { storeProblem } from "./problems.ts";

/** The problem of asking for a thing that is not there: `absent("app", id)`. */
export function absent(noun: string, id: string): Problem {
  return storeProblem("STORE_ABSENT", `there is no ${noun} ${id}`);
}
