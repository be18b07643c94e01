import { storeProblem } from "./problems.ts";

/** A row as the rest of the program likes it: columns that are NULL are absent. */
export type Present<R> = { [K in keyof R as null extends R[K] ? never : K]: R[K] } & {
  [K in keyof R as null extends R[K] ? K : never]?: NonNullable<R[K]>;
};

export function present<R extends object>(row: R): Present<R> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Present<R>;
}

const JSON_SIZE_MAX = 16 * 1024 * 1024;

/** JSON text for a column; at most 16 MiB. Throws STORE_TOO_LARGE. */
export function toJson(value: unknown, sizeMax: number = JSON_SIZE_MAX): string {
  const text = JSON.stringify(value);
  if (text.length > sizeMax)
    throw storeProblem("STORE_TOO_LARGE", "a document is too large to be kept", {
      why: `it has ${text.length} characters; ${sizeMax} are allowed`,
    });
  return text;
}

/** Reads back what {@link toJson} wrote: the type is the writer's promise. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T;
}
