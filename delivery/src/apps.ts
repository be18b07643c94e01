import { unmaskApp } from "@sampan/plan";
import type { StoredApp } from "@sampan/store";
import type { ParameterValue } from "@sampan/template";
import { API_VERSION, type App, answersProblem, appProblem, parseApp, parseAppValue } from "@sampan/template";
import { type Changed, type ChangeOptions, change, type NewApp } from "./change.ts";
import { allApps } from "./host-ports.ts";
import { type MergedChange, pulledModule } from "./merge-change.ts";
import type { Actor, Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import type { ModuleChoice } from "./settle.ts";

/** An app as somebody gives it: text of app.yaml, or the document. */
export interface AppGiven {
  readonly text?: string | undefined;
  readonly app?: unknown;
}

export interface Answers {
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly modules?: { readonly on: readonly string[]; readonly off: readonly string[] };
}

/** Throws with all faults when the app does not parse. */
export function readApp(given: AppGiven): App {
  const parsed = given.text === undefined ? parseAppValue(given.app) : parseApp(given.text);
  if (parsed.value === undefined) throw appProblem("the app", parsed.faults);
  return parsed.value;
}

/** What is switched, by name. Throws TEMPLATE_ANSWERS_INVALID when a module is to be on and off. */
export function moduleChoice(choice: Answers["modules"]): ModuleChoice {
  const { on = [], off = [] } = choice ?? {};
  const both = on.filter((name) => off.includes(name));
  if (both.length > 0)
    throw answersProblem(
      "the modules",
      both.map((name) => ({ path: `modules.${name}`, message: "is chosen to be on and to be off" })),
    );
  return Object.fromEntries([...off.map((name) => [name, false]), ...on.map((name) => [name, true])]);
}

/** Names and ids of an app that does not exist yet. Throws TEMPLATE_INVALID for a name that cannot be one, APP_EXISTS. */
export async function newApp(
  parts: Parts,
  where: { readonly teamId: string; readonly name: string },
): Promise<NewApp> {
  const { teamId, name } = where;
  const empty = { apiVersion: API_VERSION, kind: "App", name, components: {} };
  const faults = parseAppValue(empty).faults.filter((fault) => fault.path === "name");
  if (faults.length > 0) throw appProblem("the app's name", faults);
  const team = await parts.store.teams.get(teamId);
  const found = await parts.store.apps.findByName(teamId, name);
  if (found !== undefined) {
    throw deliveryProblem("APP_EXISTS", `the team ${team.name} has an app ${name} already`, {
      hint: await wayOn(parts, found),
    });
  }
  const id = parts.newId("app");
  return { id, teamId, name, slug: await freeSlug(parts, `${team.name}-${name}`, id) };
}

/** An install that failed leaves its app, to be looked at: it is not begun again under the same name, but made good. */
async function wayOn(parts: Parts, { id, name }: StoredApp): Promise<string> {
  const { items } = await parts.store.installations.list({ kind: "all" }, { appId: id }, { limit: 10 });
  const beside = "choose another name (--app NAME), or add to that app (--into)";
  if (items.some(({ state }) => state === "failed" || state === "cancelled"))
    return `its last installation did not succeed: try again with other answers (\`sampan upgrade ${name} -p NAME=VALUE\`), or remove it and install anew (\`sampan app remove ${name}\`); else ${beside}`;
  if (items.length > 0) return `upgrade it (\`sampan upgrade ${name}\`), ${beside}`;
  return `change that app (\`sampan apply\`), ${beside}`;
}

/** Team `a` with app `b-c` and team `a-b` with app `c` would be one name in the engine. */
async function freeSlug(parts: Parts, slug: string, appId: string): Promise<string> {
  for await (const app of allApps(parts)) if (app.slug === slug) return `${slug}-${appId.slice(-6)}`;
  return slug;
}

export async function createApp(
  parts: Parts,
  wish: {
    readonly by: Actor;
    readonly teamId: string;
    readonly name?: string | undefined;
    readonly given: AppGiven;
    readonly answers: Answers;
  },
  options: ChangeOptions,
): Promise<Changed> {
  const given = readApp(wish.given);
  const spec: App = { ...given, name: wish.name ?? given.name };
  const app = await newApp(parts, { teamId: wish.teamId, name: spec.name });
  return await change(
    parts,
    {
      kind: "edit",
      by: wish.by,
      app,
      spec,
      images: "renew",
      answers: wish.answers.parameters ?? {},
      modules: moduleChoice(wish.answers.modules),
    },
    options,
  );
}

/** A new text, new answers, or both. Component ids are kept by name where the text leaves them out. */
export async function updateApp(
  parts: Parts,
  wish: { readonly by: Actor; readonly app: StoredApp; readonly given?: AppGiven; readonly answers: Answers },
  options: ChangeOptions,
): Promise<Changed> {
  const { app } = wish;
  const given = wish.given === undefined ? app.spec : unmaskApp(readApp(wish.given), app.spec);
  const spec: App = { ...withKnownIds(given, app.spec), name: app.spec.name };
  return await change(
    parts,
    {
      kind: wish.given === undefined && switchesModules(wish.answers) ? "modules" : "edit",
      by: wish.by,
      app,
      spec,
      ...(wish.given === undefined ? {} : { images: "renew" as const }),
      answers: wish.answers.parameters ?? {},
      modules: moduleChoice(wish.answers.modules),
    },
    options,
  );
}

function switchesModules({ modules }: Answers): boolean {
  return modules !== undefined && modules.on.length + modules.off.length > 0;
}

/** Turns modules of an app on and off, with what they require; what stops keeps its data. Throws TEMPLATE_ANSWERS_INVALID. */
export async function switchModules(
  parts: Parts,
  wish: { readonly by: Actor; readonly app: StoredApp; readonly answers: Answers },
  options: ChangeOptions,
): Promise<MergedChange> {
  const { app, answers } = wish;
  if (!switchesModules(answers)) {
    const names = Object.keys(app.spec.modules ?? {});
    const message = names.length === 0 ? `${app.name} has no modules` : `name one of ${names.join(", ")}`;
    throw answersProblem(`the modules of ${app.name}`, [{ path: "modules", message }]);
  }
  const done = await updateApp(parts, wish, options);
  return { ...done, pulledIn: done.modulesPulledIn.map(pulledModule), remarks: [] };
}

function withKnownIds(next: App, before: App): App {
  const components = Object.entries(next.components).map(([name, component]) => {
    const known = before.components[name];
    if (component.id !== undefined || known?.id === undefined) return [name, component];
    const installation = known.installation === undefined ? {} : { installation: known.installation };
    return [name, { ...component, id: known.id, ...installation }];
  });
  return { ...next, components: Object.fromEntries(components) };
}

export async function setRunning(
  parts: Parts,
  wish: { readonly by: Actor; readonly app: StoredApp; readonly running: boolean },
  options: ChangeOptions,
): Promise<Changed> {
  const { by, app, running } = wish;
  return await change(
    parts,
    { kind: running ? "start" : "stop", by, app, spec: app.spec, stopped: !running },
    options,
  );
}

export async function scaleComponent(
  parts: Parts,
  wish: {
    readonly by: Actor;
    readonly app: StoredApp;
    readonly component: string;
    readonly replicas: number;
  },
  options: ChangeOptions,
): Promise<Changed> {
  const { by, app, replicas } = wish;
  const component = app.spec.components[wish.component];
  if (component === undefined)
    throw deliveryProblem("NOT_FOUND", `${app.name} has no component ${wish.component}`, {
      hint: `it has ${Object.keys(app.spec.components).join(", ")}`,
    });
  const next = readApp({
    app: {
      ...app.spec,
      components: { ...app.spec.components, [wish.component]: { ...component, replicas } },
    },
  });
  return await change(parts, { kind: "scale", by, app, spec: next }, options);
}

/** Stops everything of the app; the reconciler forgets it once that is done. Volumes stay. */
export async function removeApp(
  parts: Parts,
  wish: { readonly by: Actor; readonly app: StoredApp },
  options: ChangeOptions,
): Promise<Changed> {
  return await change(
    parts,
    { kind: "remove", by: wish.by, app: wish.app, spec: wish.app.spec, remove: true },
    options,
  );
}
