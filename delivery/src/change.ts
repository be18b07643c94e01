import { type Digest, shortDigest } from "@sampan/content";
import {
  changeHints,
  type DataWish,
  type Decision,
  type Desired,
  type Plan,
  type PreflightCheck,
  type Change as PropertyChange,
  plan,
  planDigest,
} from "@sampan/plan";
import type { AppValues, DataSnapshotReason, Nouns, RecordKind, StoredApp } from "@sampan/store";
import type { App, ParameterValue, Preflight } from "@sampan/template";
import { desiredOf } from "./desired-of.ts";
import { type Pins, pinsOf } from "./images.ts";
import { keepChange } from "./keep-change.ts";
import type { KeptNames } from "./merge-base.ts";
import { type Actor, isoNow, type Parts } from "./parts.ts";
import { isBySystem, requireNote } from "./policy.ts";
import { type Look, lookAtSite, refuseUnready } from "./preflight.ts";
import { deliveryProblem } from "./problems.ts";
import { refuseLostData } from "./refuse-lost-data.ts";
import { type ModuleChoice, type Settled, settle } from "./settle.ts";
import { shownChanges } from "./shown-changes.ts";

/** An app that is about to be. */
export interface NewApp {
  readonly id: string;
  readonly teamId: string;
  readonly name: string;
  readonly slug: string;
}

/** A wish: what an app shall be from now on. Install, upgrade, rollback, scaling and an edit all end here; there is no second path. */
export interface Change {
  readonly kind: RecordKind;
  readonly by: Actor;
  readonly app: StoredApp | NewApp;
  readonly spec: App;
  readonly answers?: Readonly<Record<string, ParameterValue>>;
  /** Modules that are switched by it, by name; the others stay as they are, or come on because they are required. */
  readonly modules?: ModuleChoice;
  /** Takes the place of what was on and off, as `values` does. */
  readonly modulesBack?: ModuleChoice;
  readonly stopped?: boolean;
  /** `renew`: what an image's name stands for is looked up again, as a new text asks for; else it stays what it was. */
  readonly images?: "renew";
  /** What names of images stood for at the time that a rollback goes back to. */
  readonly pins?: Pins;
  /** Takes the place of the app's values: a rollback brings back those of its snapshot. */
  readonly values?: AppValues;
  readonly remove?: true;
  readonly installation?: {
    readonly id: string;
    readonly templateId: string;
    readonly releaseDigest: Digest;
    readonly names?: KeptNames;
  };
  /** What differs, as a merge found it: the reasons that the plan gives. */
  readonly changes?: readonly PropertyChange[];
  /** What releases say that a site must have: the one that comes, and the one that was there. */
  readonly declared?: { readonly next?: Preflight | undefined; readonly before?: Preflight | undefined };
  readonly fromRelease?: Digest;
  readonly toRelease?: Digest;
  readonly decisions?: Readonly<Record<string, Decision>>;
  /** What else was chosen, in words, for the record: by `selection`, `mapping.NAME`. */
  readonly choices?: Readonly<Record<string, string>>;
  /** What a failed rollout does: go back to what was, or stay for somebody to look at. */
  readonly onFailure?: "return" | "hold";
  /** What is done with data before anything of it begins. */
  readonly data?: DataWish;
  /** Why data is captured; follows from the kind when absent. */
  readonly captureReason?: DataSnapshotReason;
  /** When it goes back by itself, the data that was captured is put back too: what was written since is lost. */
  readonly restoreOnReturn?: boolean;
  /** What else is kept in the same transaction, once the app is: what comes with a backup. */
  readonly alsoKeep?: (nouns: Nouns) => Promise<void>;
  /** The rollout that failed and that this change makes good: it alone may be under way. */
  readonly returns?: string;
}

export interface ChangeOptions {
  readonly note?: string | undefined;
  readonly dryRun?: boolean;
  /** The generation that the wish was made on. */
  readonly base?: number | undefined;
  /** The digest of the plan that somebody looked at. */
  readonly expect?: Digest | undefined;
  /** Goes on although checks of the site failed; the record keeps them. */
  readonly ignorePreflight?: boolean;
}

export interface Changed {
  readonly plan: Plan;
  /** The app's generation before. */
  readonly base: number;
  /** Of what would be done; the same as long as nothing that counts has changed. */
  readonly digest: Digest;
  /** What differs for the app, secrets masked. */
  readonly changes: readonly PropertyChange[];
  /** Modules that nobody chose and that come on nevertheless, with the reason as a sentence's end. */
  readonly modulesPulledIn: readonly { readonly name: string; readonly because: string }[];
  /** Empty when nothing is to run. */
  readonly preflight: readonly PreflightCheck[];
  readonly appId?: string;
  readonly recordId?: string;
  readonly rolloutId?: string;
}

const NO_VALUES: AppValues = { parameters: {}, generated: {}, hostPorts: {} };

/**
 * Plans the change; unless it is a dry run, stores it in one transaction and wakes the reconciler, which carries it out. Throws before
 * anything is stored: APP_MOVED, PLAN_CHANGED, NOTE_REQUIRED, PREFLIGHT_FAILED, APP_UNSEEN, APP_BUSY, and what `settle` and
 * `lookAtSite` throw.
 */
export async function change(parts: Parts, wish: Change, options: ChangeOptions = {}): Promise<Changed> {
  const before = "generation" in wish.app ? wish.app : undefined;
  const isDryRun = options.dryRun === true;
  refuseMoved(wish.app, before, options.base);
  if (!isDryRun) await requireNote(parts, wish, options.note);
  const last = before === undefined ? undefined : await desiredOf(parts, before);
  const settled =
    wish.remove === true && before !== undefined
      ? goingAway(before, last)
      : await settleWish(parts, wish, { before, last });
  const hints = wish.changes === undefined ? {} : { changes: changeHints(wish.changes) };
  const desired: Desired = wish.remove === true ? settled.desired : { ...settled.desired, ...hints };
  const preflight = startsAnything(desired) ? await lookAtSite(parts, lookOf(wish, desired, before)) : [];
  const made = await planFor(parts, desired, {
    look: wish.remove === true ? "as it is" : "whole",
    ...(wish.data === undefined ? {} : { data: withWas(wish.data, last) }),
  });
  const base = before?.generation ?? 0;
  const changes = shownChanges({ wish, before, last, settled });
  const digest = planDigest({ base, plan: made, changes }, parts);
  const shown = { plan: made, base, digest, changes, modulesPulledIn: settled.pulledIn, preflight };
  refuseChanged(wish.app, digest, options.expect);
  if (isDryRun) return { ...shown, ...(before === undefined ? {} : { appId: before.id }) };
  if (options.ignorePreflight !== true && !isBySystem(wish.by))
    refuseUnready(preflight, { kind: wish.kind, appName: wish.app.name });
  const ids = await parts.store.transaction((nouns) =>
    keepChange(nouns, { wish, options, before, settled, desired, plan: made, preflight, digest }),
  );
  parts.wake(wish.app.id);
  return { ...shown, appId: wish.app.id, ...ids };
}

/** What runs is captured as its own version says. */
function withWas({ capture, ...rest }: DataWish, last: Desired | undefined): DataWish {
  if (capture === undefined) return rest;
  const was = Object.fromEntries(
    (last?.components ?? []).flatMap(({ name, data }) => (data === undefined ? [] : [[name, data]])),
  );
  return { ...rest, capture: { ...capture, was } };
}

function startsAnything({ components, remove }: Desired): boolean {
  return remove !== true && components.some((component) => component.replicas > 0);
}

function lookOf(wish: Change, desired: Desired, before: StoredApp | undefined): Look {
  return {
    desired,
    declared: wish.declared?.next ?? wish.spec.preflight,
    declaredBefore: wish.declared?.before ?? before?.spec.preflight,
    captured: wish.data?.capture?.components,
  };
}

async function settleWish(
  parts: Parts,
  wish: Change,
  at: { readonly before: StoredApp | undefined; readonly last: Desired | undefined },
): Promise<Settled> {
  const { before, last } = at;
  if (before !== undefined) refuseLostData(before.spec, wish.spec);
  const known = before === undefined || last === undefined ? {} : pinsOf(before.spec, last);
  return await settle(parts, {
    app: { id: wish.app.id, slug: wish.app.slug },
    teamId: wish.app.teamId,
    generation: (before?.generation ?? 0) + 1,
    spec: wish.spec,
    values: wish.values ?? before?.values ?? NO_VALUES,
    answers: wish.answers ?? {},
    modules: wish.modules ?? {},
    modulesBefore: wish.modulesBack ?? before?.modules ?? {},
    stopped: wish.stopped ?? before?.stopped ?? false,
    pins: { ...known, ...wish.pins },
    images: wish.images ?? "keep",
  });
}

/** Nothing is resolved anew: an app must be able to go whatever it lacks. Its components give the order and the grace. */
function goingAway(before: StoredApp, last: Desired | undefined): Settled {
  const { id, slug, spec, values, modules } = before;
  const desired: Desired = {
    app: { id, slug },
    generation: before.generation + 1,
    components: last?.components ?? [],
    remove: true,
  };
  return { spec, values, modules, pulledIn: [], desired };
}

/** What is desired against what runs now. */
export async function planFor(
  parts: Parts,
  desired: Desired,
  options: {
    readonly failedJobs?: "run again" | "leave";
    readonly data?: DataWish;
    /** `whole`: refuses to plan on what was seen in part, where nothing is replaced and a change would seem done. */
    readonly look?: "whole" | "as it is";
    readonly signal?: AbortSignal;
  } = {},
): Promise<Plan> {
  const { signal, look, ...choice } = options;
  const images = [...new Set(desired.components.map((component) => component.spec.image.id))];
  const observed = await parts.driver.observe({ id: desired.app.id, images }, signal);
  if (look === "whole" && !observed.complete)
    throw deliveryProblem("APP_UNSEEN", `not all of ${desired.app.slug} could be seen`, {
      why: observed.remarks.join("; ") || "the engine answered in part",
      hint: "look at the engine, and try again",
    });
  return plan(desired, observed, { now: isoNow(parts), newId: () => parts.newId("pln"), ...choice });
}

function refuseMoved(app: { readonly name: string }, before: StoredApp | undefined, base?: number): void {
  const generation = before?.generation ?? 0;
  if (base === undefined || base === generation) return;
  throw deliveryProblem("APP_MOVED", `${app.name} was changed since you looked at it`, {
    why: `it is at generation ${generation}, and your plan was made on ${base}`,
    hint: "look at the new plan, and repeat the change",
  });
}

function refuseChanged(app: { readonly name: string }, digest: Digest, expected: Digest | undefined): void {
  if (expected === undefined || expected === digest) return;
  throw deliveryProblem("PLAN_CHANGED", `what would be done to ${app.name} is not what you looked at`, {
    why: `the plan is ${shortDigest(digest)} now, and you agreed to ${shortDigest(expected)}`,
    hint: "look at the new plan, and repeat the change",
  });
}
