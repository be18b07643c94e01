import { registryProblem } from "./problems.ts";

const COUNT_DEFAULT = 1000;
const COUNT_MAX = 1000;
const LAST_LENGTH_MAX = 512;

/** `n` and `last` of a list: at most `count` names after `last`, in lexical order. */
export interface PageQuery {
  readonly count: number;
  readonly last?: string;
}

/** Throws REGISTRY_UNSUPPORTED for a count that is none. */
export function parsePageQuery(query: URLSearchParams): PageQuery {
  const n = query.get("n");
  const last = query.get("last")?.slice(0, LAST_LENGTH_MAX);
  if (n !== null && !/^\d{1,9}$/.test(n))
    throw registryProblem("REGISTRY_UNSUPPORTED", "n is not a whole number");
  return {
    count: Math.min(n === null ? COUNT_DEFAULT : Number(n), COUNT_MAX),
    ...(last === undefined || last === "" ? {} : { last }),
  };
}

/** Link header (RFC 5988) to the page after `last`. */
export function nextLink(path: string, { count }: PageQuery, last: string): string {
  return `<${path}?n=${count}&last=${encodeURIComponent(last)}>; rel="next"`;
}
