import type { Digest } from "@sampan/content";
import {
  changeHints,
  type DataWish,
  type Decision,
  type Desired,
  type InstallationNames,
  type Plan,
  type Change as PropertyChange,
  plan,
} from "@sampan/plan";
import type { AppValues, DataSnapshotReason, Nouns, RecordKind, Snapshot, StoredApp } from "@sampan/store";
import type { App, ParameterValue } from "@sampan/template";
import { beginDataSnapshot, capturedBy, restoredBy } from "./data-rows.ts";
import { desiredOf } from "./desired-of.ts";
import { refuseTakenPorts } from "./host-ports.ts";
import { type Pins, pinsOf, requireRunnable } from "./images.ts";
import { type Actor, isoNow, type Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import { refuseLostData } from "./refuse-lost-data.ts";
import { refusePrivileges } from "./refuse-privileges.ts";
import { type ModuleChoice, type Settled, settle } from "./settle.ts";

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
  readonly modules?: ModuleChoice;
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
    readonly names?: InstallationNames;
  };
  /** What differs, as a merge found it: the reasons that the plan gives. */
  readonly changes?: readonly PropertyChange[];
  readonly fromRelease?: Digest;
  readonly toRelease?: Digest;
  readonly decisions?: Readonly<Record<string, Decision>>;
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
}

export interface Changed {
  readonly plan: Plan;
  /** The app's generation before. */
  readonly base: number;
  readonly appId?: string;
  readonly recordId?: string;
  readonly rolloutId?: string;
}

const NO_VALUES: AppValues = { parameters: {}, generated: {}, hostPorts: {} };

/** Plans the change; unless it is a dry run, stores it in one transaction and wakes the reconciler, which carries it out. */
export async function change(parts: Parts, wish: Change, options: ChangeOptions = {}): Promise<Changed> {
  const before = "generation" in wish.app ? wish.app : undefined;
  refuseMoved(before, options.base);
  const last = before === undefined ? undefined : await desiredOf(parts, before);
  const settled =
    wish.remove === true && before !== undefined
      ? goingAway(before, last)
      : await settleWish(parts, wish, { before, last });
  const hints = wish.changes === undefined ? {} : { changes: changeHints(wish.changes) };
  const desired: Desired = wish.remove === true ? settled.desired : { ...settled.desired, ...hints };
  if (desired.components.some((component) => component.replicas > 0) && wish.remove !== true) {
    refusePrivileges(parts, desired);
    await requireRunnable(parts, desired);
    await refuseTakenPorts(parts, desired);
  }
  const made = await planFor(parts, desired, {
    look: wish.remove === true ? "as it is" : "whole",
    ...(wish.data === undefined ? {} : { data: wish.data }),
  });
  const base = before?.generation ?? 0;
  if (options.dryRun === true)
    return { plan: made, base, ...(before === undefined ? {} : { appId: before.id }) };
  const ids = await parts.store.transaction((nouns) =>
    keep(nouns, { wish, options, before, settled, desired, plan: made }),
  );
  parts.wake(wish.app.id);
  return { plan: made, base, appId: wish.app.id, ...ids };
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
    modules: wish.modules ?? before?.modules ?? {},
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
  return { spec, values, modules, desired };
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

function refuseMoved(before: StoredApp | undefined, base: number | undefined): void {
  if (before === undefined || base === undefined || base === before.generation) return;
  throw deliveryProblem("APP_MOVED", `${before.name} was changed since you looked at it`, {
    why: `it is at generation ${before.generation}, and your plan was made on ${base}`,
    hint: "look at the new plan, and repeat the change",
  });
}

interface Kept {
  readonly wish: Change;
  readonly options: ChangeOptions;
  readonly before: StoredApp | undefined;
  readonly settled: Settled;
  readonly desired: Desired;
  readonly plan: Plan;
}

async function keep(
  nouns: Nouns,
  kept: Kept,
): Promise<{ readonly recordId: string; readonly rolloutId: string }> {
  const { wish, before } = kept;
  await refuseBusy(nouns, wish);
  const snapshot = await snapshotOf(nouns, kept);
  await keepApp(nouns, kept);
  await wish.alsoKeep?.(nouns);
  await keepInstallation(nouns, kept);
  await dropEmptyInstallations(nouns, kept);
  await nouns.plans.put(kept.plan, kept.desired);
  const { app, generation } = kept.desired;
  const rollout = await nouns.rollouts.create({
    planId: kept.plan.id,
    appId: app.id,
    generation,
    state: "planned",
  });
  const captured = capturedBy(kept.plan);
  const restored = restoredBy(kept.plan);
  const record = await nouns.records.begin({
    appId: app.id,
    kind: wish.kind,
    who: wish.by.name,
    planId: kept.plan.id,
    rolloutId: rollout.id,
    rolloutState: rollout.state,
    decisions: {
      decisions: named(wish.decisions ?? {}),
      onFailure: wish.onFailure ?? "hold",
      ...(wish.returns === undefined ? {} : { returns: wish.returns }),
      ...(wish.restoreOnReturn === true ? { restoreOnReturn: true } : {}),
      ...(restored === undefined ? {} : { restored }),
    },
    ...(captured === undefined ? {} : { dataSnapshotId: captured }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(wish.installation === undefined ? {} : { installationId: wish.installation.id }),
    ...(wish.fromRelease === undefined ? {} : { fromRelease: wish.fromRelease }),
    ...(wish.toRelease === undefined ? {} : { toRelease: wish.toRelease }),
    ...(kept.options.note === undefined ? {} : { note: kept.options.note }),
  });
  const teamId = before?.teamId ?? (wish.app as NewApp).teamId;
  const owner = { name: wish.app.name, teamId };
  await beginDataSnapshot(nouns, { plan: kept.plan, record, app: owner, reason: wish.captureReason });
  await nouns.events.add({
    what: `app.${wish.kind}`,
    who: wish.by.name,
    outcome: "accepted",
    teamId,
    appId: app.id,
    subject: record.id,
  });
  return { recordId: record.id, rolloutId: rollout.id };
}

/** What was decided, without the values that were written by hand: they may be secrets, and records are not sealed. */
function named(decisions: Readonly<Record<string, Decision>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(decisions).map(([path, one]) => [path, typeof one === "string" ? one : "edit"]),
  );
}

async function refuseBusy(nouns: Nouns, wish: Change): Promise<void> {
  const open = await nouns.rollouts.list({ kind: "all" }, { appId: wish.app.id, open: true }, { limit: 10 });
  const rollout = open.items.find((one) => one.id !== wish.returns);
  if (rollout === undefined) return;
  throw deliveryProblem("APP_BUSY", `${wish.app.name} is being changed right now`, {
    why: `rollout ${rollout.id} is ${rollout.state}`,
    hint: `wait for it (sampan rollout follow ${rollout.id}), or cancel it (sampan rollout cancel ${rollout.id})`,
  });
}

async function keepApp(nouns: Nouns, { wish, before, settled }: Kept): Promise<void> {
  const { spec, values, modules } = settled;
  const title = spec.title === undefined ? {} : { title: spec.title };
  if (before !== undefined) {
    await nouns.apps.update(before.id, before.generation, {
      spec,
      values,
      modules,
      stopped: wish.stopped ?? before.stopped,
      ...title,
    });
    return;
  }
  const { id, teamId, name, slug } = wish.app as NewApp;
  await nouns.apps.create({ id, teamId, name, slug, spec, values, modules, ...title });
}

async function keepInstallation(nouns: Nouns, { wish, settled }: Kept): Promise<void> {
  if (wish.installation === undefined) return;
  const { id, templateId, releaseDigest, names } = wish.installation;
  const components = Object.values(settled.spec.components)
    .filter((component) => component.installation === id)
    .map((component) => component.id ?? "");
  const known = (
    await nouns.installations.list({ kind: "all" }, { appId: wish.app.id }, { limit: 200 })
  ).items.some((one) => one.id === id);
  if (known)
    await nouns.installations.update(id, {
      releaseDigest,
      components,
      modules: settled.modules,
      ...(names === undefined ? {} : { names }),
    });
  else
    await nouns.installations.create({
      id,
      appId: wish.app.id,
      templateId,
      releaseDigest,
      components,
      modules: settled.modules,
      names: names ?? {},
      state: "installing",
    });
}

/** An installation of which no component is left is over: it must not hold its release, nor come back with an upgrade. */
async function dropEmptyInstallations(nouns: Nouns, { wish, settled }: Kept): Promise<void> {
  if (wish.remove === true) return;
  const alive = new Set(Object.values(settled.spec.components).map((component) => component.installation));
  const { items } = await nouns.installations.list({ kind: "all" }, { appId: wish.app.id }, { limit: 200 });
  for (const { id } of items) if (!alive.has(id)) await nouns.installations.remove(id);
}

/** What the app was, before anything is written, and what it is made into. */
async function snapshotOf(nouns: Nouns, { wish, before, settled }: Kept): Promise<Snapshot | undefined> {
  if (before === undefined) return undefined;
  const { spec, values, modules, stopped } = before;
  const { items } = await nouns.installations.list({ kind: "all" }, { appId: before.id }, { limit: 200 });
  const held = items.find((one) => one.id === wish.installation?.id);
  return {
    spec,
    values,
    modules,
    stopped,
    after: settled.spec,
    ...(held === undefined ? {} : { releaseDigest: held.releaseDigest }),
  };
}
