import { z } from "zod";
import { digest, id, note, time } from "./basics.ts";

const step = z.object({
  id: z.string(),
  kind: z.string(),
  needs: z.array(z.string()),
  why: z.string(),
  component: z.string().optional(),
  index: z.int().optional(),
});

/** A plan as data, and as the text that `render` gives. */
export const planView = z.object({
  id,
  generation: z.int(),
  steps: z.array(step),
  notes: z.array(z.object({ component: z.string().optional(), text: z.string() })),
  text: z.string(),
  /** The generation of the app that it was made from: it is refused when the app has moved since. */
  base: z.int(),
});

export const stepResult = z.object({
  stepId: z.string(),
  state: z.enum(["pending", "running", "done", "failed", "skipped"]),
  startedAt: time.optional(),
  endedAt: time.optional(),
  error: z.string().optional(),
  progress: z.object({ stage: z.string(), done: z.number(), total: z.number().optional() }).optional(),
});

/** An acceptance check, as far as it was run. */
export const acceptanceCheck = z.object({
  name: z.string(),
  state: z.enum(["pending", "passed", "failed"]),
  message: z.string().optional(),
  tookMs: z.number().optional(),
});

/** Whether the site has what the change takes. A `fail` refuses the change, unless it says `ignorePreflight`. */
export const preflightCheck = z.object({
  id: z.string(),
  title: z.string(),
  state: z.enum(["pass", "warn", "fail"]),
  found: z.string(),
  wanted: z.string(),
  remedy: z.string().optional(),
});

/** One property that differs, what happens with it, and why. Secrets are masked. Decisions are given by `path`. */
export const change = z.object({
  path: z.string(),
  component: z.string().optional(),
  what: z.string(),
  action: z.enum(["add", "change", "remove", "keep"]),
  why: z.string(),
  /** What the site has; what the release (in a rollback: the snapshot) has; what the site will have. */
  before: z.unknown().optional(),
  offered: z.unknown().optional(),
  after: z.unknown().optional(),
  secret: z.boolean(),
  decided: z.boolean(),
  /** In a rollback: an edit made after the upgrade, which would be lost. */
  laterEdit: z.literal(true).optional(),
});

/** What a change does with data before anything of the new begins. */
const dataView = z.object({
  /** `live`: the component goes on running meanwhile. */
  capture: z.array(
    z.object({
      component: z.string(),
      volumes: z.array(z.string()),
      live: z.boolean(),
      /** When it was last captured; absent when that is not known. */
      sizeBytes: z.number().optional(),
    }),
  ),
  restore: z.array(
    z.object({
      component: z.string(),
      volume: z.string(),
      /** That it is put back from, when that was taken, and how much it holds of it. */
      snapshotId: id,
      takenAt: time,
      sizeBytes: z.number(),
    }),
  ),
});

/** Answers of the installer, by parameter name. */
export const answers = z.record(z.string().max(64), z.union([z.string(), z.number(), z.boolean()]));
const moduleNames = z.array(z.string().max(63)).max(200).default([]);
export const moduleSwitches = { on: moduleNames, off: moduleNames };
export const moduleChoice = z.object(moduleSwitches).refine(isOneOf, oneOf());

/** A module cannot be on and off at once. */
export function isOneOf({ on, off }: { readonly on: readonly string[]; readonly off: readonly string[] }) {
  return !on.some((name) => off.includes(name));
}
export function oneOf() {
  return { message: "names a module that is to be on as well", path: ["off"] };
}

/** What a person decided, by path of a property, against the rules' default. */
export const decisions = z
  .record(
    z.string().max(400),
    z.union([z.literal("take"), z.literal("keep"), z.object({ edit: z.unknown() })]),
  )
  .default({});

/** Names of components of an app or a release. */
export const componentNames = z.array(z.string().max(63)).max(1000);

/** What every change takes. */
export const changeOptions = {
  /** Nothing is stored: only what would be done is answered. */
  dryRun: z.boolean().default(false),
  /** Why it is done. The site's policy may ask for one. */
  note: note.optional(),
  /** The generation that the change was made on; refused when the app has moved since (APP_MOVED). */
  base: z.int().optional(),
  /** The digest of the plan that was looked at; refused when what would be done is another by now (PLAN_CHANGED). */
  expect: digest.optional(),
  /** Go on although the preflight fails. The record keeps what failed. */
  ignorePreflight: z.boolean().default(false),
};

/** A change that was planned, and, when it is to be done, its rollout. With `dryRun` nothing is stored and there is no rollout. */
export const changeReply = z.object({
  plan: planView.extend({
    /** Of what it changes and does, not of ids and times: planned again on an app that has not moved, it is the same. */
    digest,
  }),
  /** What differs, property by property. */
  changes: z.array(change),
  /** Empty when nothing is to run. */
  preflight: z.array(preflightCheck),
  data: dataView.optional(),
  appId: id.optional(),
  recordId: id.optional(),
  rolloutId: id.optional(),
});

/** With the components and modules that nobody chose and that come along because others need them, and what else is to be known. */
export const upgradeReply = changeReply.extend({
  pulledIn: z.array(z.object({ component: z.string(), because: z.string() })),
  remarks: z.array(z.string()),
});
