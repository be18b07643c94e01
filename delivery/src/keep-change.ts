import type { Digest } from "@sampan/content";
import type { Decision, Desired, Plan, PreflightCheck } from "@sampan/plan";
import type { Nouns, Snapshot, StoredApp } from "@sampan/store";
import type { Change, ChangeOptions, NewApp } from "./change.ts";
import { beginDataSnapshot, capturedBy, restoredBy } from "./data-rows.ts";
import { deliveryProblem } from "./problems.ts";
import type { Settled } from "./settle.ts";

/** A change that was planned, and is to be stored. */
export interface Kept {
  readonly wish: Change;
  readonly options: ChangeOptions;
  readonly before: StoredApp | undefined;
  readonly settled: Settled;
  readonly desired: Desired;
  readonly plan: Plan;
  readonly preflight: readonly PreflightCheck[];
  /** Of the plan, as somebody was shown it. */
  readonly digest: Digest;
}

/** Stores everything of a change. Throws APP_BUSY, STORE_STALE. */
export async function keepChange(
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
      decisions: { ...named(wish.decisions ?? {}), ...wish.choices },
      onFailure: wish.onFailure ?? "hold",
      digest: kept.digest,
      ...(wish.returns === undefined ? {} : { returns: wish.returns }),
      ...(wish.restoreOnReturn === true ? { restoreOnReturn: true } : {}),
      ...(restored === undefined ? {} : { restored }),
    },
    ...(kept.preflight.length === 0 ? {} : { preflight: kept.preflight }),
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
    ...(held === undefined ? {} : { releaseDigest: held.releaseDigest, names: held.names }),
  };
}
