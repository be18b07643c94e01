import type { Context } from "./context.ts";
import { storeProblem } from "./problems.ts";
import { settings } from "./settings.ts";

/** What the site demands of those who change apps. */
export interface Policy {
  /** Install, upgrade, rollback, modules and restore of data must say why. */
  readonly noteRequired: boolean;
  /** An upgrade captures the data of what it replaces, unless it is told not to. */
  readonly captureBeforeUpgrade: boolean;
  /** How many data snapshots an app keeps, besides those that were asked for. */
  readonly snapshotsKept: number;
}

export const policyDefaults: Policy = {
  noteRequired: true,
  captureBeforeUpgrade: false,
  snapshotsKept: 10,
};

export const policyLimits = { snapshotsKeptMin: 1, snapshotsKeptMax: 1000 } as const;

const KEY = "policy";

/** One setting; what it does not say is as in {@link policyDefaults}. */
export const policy = {
  async get(context: Context): Promise<Policy> {
    const kept = (await settings.get(context, KEY)) as Partial<Policy> | undefined;
    return { ...policyDefaults, ...kept };
  },

  /** Changes what is given, and leaves the rest. Throws STORE_POLICY_INVALID. */
  set(context: Context, change: Partial<Policy>): Promise<Policy> {
    return context.write(async (inside) => {
      check(change);
      const next = { ...(await policy.get(inside)), ...change };
      await settings.set(inside, KEY, next);
      return next;
    });
  },
};

function check(change: Readonly<Record<string, unknown>>): void {
  const { snapshotsKeptMin: min, snapshotsKeptMax: max } = policyLimits;
  for (const [name, value] of Object.entries(change)) {
    if (!Object.hasOwn(policyDefaults, name)) throw invalid(`there is no ${name} in it`);
    if (name !== "snapshotsKept") {
      if (typeof value !== "boolean") throw invalid(`${name} is yes or no`);
    } else if (!Number.isInteger(value) || Number(value) < min || Number(value) > max)
      throw invalid(`${name} is a whole number from ${min} to ${max}`);
  }
}

function invalid(why: string): Error {
  return storeProblem("STORE_POLICY_INVALID", "the policy cannot be as asked", { why });
}
