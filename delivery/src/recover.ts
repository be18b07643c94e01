import { type Desired, type Plan, resolve, stepWords } from "@sampan/plan";
import type { RunningApp } from "@sampan/runtime";
import type { AppValues, Nouns } from "@sampan/store";
import { type App, appProblem, parseAppValue } from "@sampan/template";
import { newApp } from "./apps.ts";
import { type NewApp, planFor } from "./change.ts";
import { allApps } from "./host-ports.ts";
import { type Actor, isoNow, type Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import { documentOf } from "./recovered-app.ts";

export interface RecoverWish {
  readonly by: Actor;
  /** As the engine tells it: see `Driver.listApps`. */
  readonly id: string;
  readonly teamId: string;
  /** Name of the app; what its name in the engine says when absent. */
  readonly name?: string | undefined;
}

export interface Recovered {
  readonly appId: string;
  readonly recordId: string;
  /** What could not be recovered, or only in part. */
  readonly remarks: readonly string[];
}

/**
 * Takes up again an app that the engine runs and that this site has forgotten: its database was lost. Nothing that runs is touched:
 * what should run from now on is what does. Throws APP_EXISTS, NOT_FOUND, RECOVERY_IMPOSSIBLE (the engine has no instance of it),
 * RUNTIME_UNREADABLE, TEMPLATE_INVALID (what runs cannot be said as an app).
 */
export async function recoverApp(parts: Parts, wish: RecoverWish): Promise<Recovered> {
  const running = await readRunning(parts, wish.id);
  await refuseKnown(parts, running);
  const team = await parts.store.teams.get(wish.teamId);
  const name = wish.name ?? nameOf(running.app.slug, team.name);
  const app: NewApp = { ...(await newApp(parts, { teamId: team.id, name })), ...running.app };
  const { document, remarks } = documentOf(running, name);
  const { value: spec, faults } = parseAppValue(document);
  if (spec === undefined) throw appProblem(`what the engine runs of ${app.slug}`, faults);
  const { generation, components } = running;
  const desired: Desired = { app: running.app, generation, components };
  const all = [
    ...running.remarks,
    ...remarks,
    ...differences(parts, spec, desired),
    ...leftToDo(await planFor(parts, desired)),
    ...ALWAYS,
  ];
  const recordId = await parts.store.transaction((nouns) =>
    keep(nouns, { by: wish.by, app, spec, desired, plan: emptyPlan(parts, desired), remarks: all }),
  );
  parts.wake(app.id);
  return { appId: app.id, recordId, remarks: all };
}

const GENERATION_MAX = 100_000;
const NO_VALUES: AppValues = { parameters: {}, generated: {}, hostPorts: {} };

/** What no engine ever holds. */
const ALWAYS = [
  "parameters, modules, connection info, routes, acceptance checks, scaling rules, plugins, metrics endpoints and titles are not in the engine: what came of them stands in the components as it is",
  "which releases it was installed from is not in the engine: to upgrade it from a template, install that anew, or restore a backup of the database",
  "components that were stopped, and cron components that never ran, are not in the engine: add them again",
  "what a component needs, and how long it may take to start, are as they were when its newest instance was made",
];

async function readRunning(parts: Parts, id: string): Promise<RunningApp> {
  const running = await parts.driver.readApp(id);
  if (running === undefined)
    throw deliveryProblem("NOT_FOUND", `the engine holds nothing of an app ${id}`, {
      hint: "see what it does hold: sampan app recover",
    });
  if (running.components.length === 0)
    throw deliveryProblem(
      "RECOVERY_IMPOSSIBLE",
      `the engine has no instance of ${running.app.slug} any more`,
      {
        why: "only its network or its volumes are there, and they do not tell what it was made of",
        hint: "restore a backup of the database; the data in the volumes stays where it is",
      },
    );
  if (running.generation > GENERATION_MAX)
    throw deliveryProblem("RECOVERY_IMPOSSIBLE", `${running.app.slug} carries a generation that cannot be`, {
      why: `its labels say ${running.generation}, and no app was changed that often`,
      hint: "restore a backup of the database",
    });
  return running;
}

async function refuseKnown(parts: Parts, { app }: RunningApp): Promise<void> {
  for await (const known of allApps(parts)) {
    if (known.id === app.id)
      throw deliveryProblem("APP_EXISTS", `${known.name} is known to this site`, {
        hint: "there is nothing to recover: look at it with sampan app show",
      });
    if (known.slug === app.slug)
      throw deliveryProblem("APP_EXISTS", `${app.slug} cannot be taken up again`, {
        why: `the app ${known.name}, which is another one, has that name in the engine`,
        hint: "remove that app first (its volumes stay), then try again",
      });
  }
}

/** The name in the engine is made of the team's and the app's; the team may have been another one. */
function nameOf(slug: string, team: string): string {
  return slug.startsWith(`${team}-`) ? slug.slice(team.length + 1) : slug;
}

/** Components that would be made anew by the next change, because what was read is not all that they were made from. */
function differences(parts: Parts, spec: App, desired: Desired): readonly string[] {
  const { desired: next } = resolve(spec, {
    appRef: desired.app,
    generation: desired.generation,
    modules: { on: [], off: [] },
    values: NO_VALUES,
    images: {},
    sha256: parts.sha256,
  });
  return desired.components
    .filter(
      ({ name, specDigest }) => next?.components.find((one) => one.name === name)?.specDigest !== specDigest,
    )
    .map(
      ({ name }) =>
        `${name} is not exactly what it was made from (a config file may have been rewritten inside): its next change makes it anew as it was read`,
    );
}

/** The engine may have been left in the middle of something: the reconciler brings that to its end. */
function leftToDo({ steps }: Plan): readonly string[] {
  const open = steps.filter(({ kind }) => kind !== "instance.ready" && kind !== "instance.complete");
  if (open.length === 0) return [];
  const words = open.slice(0, STEPS_NAMED_MAX).map((step) => stepWords(step).join(" "));
  const more = open.length - words.length;
  return [
    `not all runs as its newest instances say, which is mended now: ${words.join(", ")}${more > 0 ? ` and ${more} more steps` : ""}`,
  ];
}

const STEPS_NAMED_MAX = 10;

/** Nothing was done: what runs is what should. */
function emptyPlan(parts: Parts, { app, generation }: Desired): Plan {
  return { id: parts.newId("pln"), app, generation, createdAt: isoNow(parts), steps: [], notes: [] };
}

interface Kept {
  readonly by: Actor;
  readonly app: NewApp;
  readonly spec: App;
  readonly desired: Desired;
  readonly plan: Plan;
  readonly remarks: readonly string[];
}

const RECOVERED = "recovered from the engine";

/** All of it as if the change that made what runs had just succeeded: only what was reached once is kept up. */
async function keep(nouns: Nouns, { by, app, spec, desired, plan, remarks }: Kept): Promise<string> {
  await nouns.apps.create({ ...app, spec, values: NO_VALUES, generation: desired.generation });
  await nouns.plans.put(plan, desired);
  const { id: rolloutId } = await nouns.rollouts.create({
    planId: plan.id,
    appId: app.id,
    generation: desired.generation,
    state: "planned",
  });
  await nouns.rollouts.move(rolloutId, { state: "succeeded", ended: true, reason: RECOVERED });
  const record = await nouns.records.begin({
    appId: app.id,
    kind: "edit",
    who: by.name,
    planId: plan.id,
    rolloutId,
    decisions: { decisions: {}, onFailure: "hold" },
    note: RECOVERED,
  });
  await nouns.records.end(record.id, "succeeded", { rolloutState: "succeeded" });
  await nouns.events.add({
    what: "app.recover",
    who: by.name,
    outcome: "done",
    teamId: app.teamId,
    appId: app.id,
    subject: record.id,
    details: { remarks: remarks.slice(0, REMARKS_KEPT_MAX).map((one) => one.slice(0, REMARK_LENGTH_MAX)) },
  });
  return record.id;
}

const REMARKS_KEPT_MAX = 50;
const REMARK_LENGTH_MAX = 300;
