import type { Kysely } from "kysely";
import type { Change } from "./change.ts";
import { fromJson, toJson } from "./row.ts";
import type { Tables } from "./tables.ts";

/** Encryption of secrets at rest; given from outside, because keys are not this room's business. */
export interface Seal {
  seal(text: string): string;
  /** Throws when the text was not sealed with a key that is held, or was changed since. */
  open(sealed: string): string;
}

/** What every function of a noun works with: the open database or a transaction in it. */
export interface Context {
  readonly db: Kysely<Tables>;
  /** ISO time. */
  now(): string;
  newId(): string;
  readonly seal: Seal;
  /** Runs the work in a transaction: in the one that is open, else in its own. */
  write<T>(work: (inside: Context) => Promise<T>): Promise<T>;
  /** Tells watchers, once the transaction is committed. */
  changed(change: Change): void;
}

export function sealJson(context: Context, value: unknown): string {
  return context.seal.seal(toJson(value));
}

export function openJson<T>(context: Context, sealed: string): T {
  return fromJson<T>(context.seal.open(sealed));
}

type Functions = Readonly<Record<string, (context: Context, ...args: never[]) => unknown>>;

/** A noun's functions with the context already given. */
export type Bound<F extends Functions> = {
  readonly [K in keyof F]: F[K] extends (context: Context, ...args: infer A) => infer R
    ? (...args: A) => R
    : never;
};

export function bind<F extends Functions>(functions: F, context: Context): Bound<F> {
  const bound = Object.entries(functions).map(([name, run]) => [
    name,
    (...args: never[]) => run(context, ...args),
  ]);
  return Object.fromEntries(bound) as Bound<F>;
}
