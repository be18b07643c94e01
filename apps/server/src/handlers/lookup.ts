import type { Actor } from "@sampan/api";
import type {
  Installation,
  Sight,
  StoredApp,
  StoredRecord,
  StoredRelease,
  StoredRollout,
  StoredTemplate,
} from "@sampan/store";
import type { RequestContext } from "../http/context.ts";
import type { ServerParts } from "./server-parts.ts";

/** What lists may show to this person. */
export function sightOf(actor: Actor): Sight {
  if (actor.enterpriseAdministrator) return { kind: "all" };
  return { kind: "teams", teamIds: Object.keys(actor.teams), userId: actor.name };
}

/** The app, once the person may do in its team what the route is about. */
export async function allowedApp(
  parts: ServerParts,
  context: RequestContext,
  id: string,
): Promise<StoredApp> {
  const app = await parts.store.apps.get(id);
  context.allow(app.teamId);
  return app;
}

export async function allowedInstallation(
  parts: ServerParts,
  context: RequestContext,
  id: string,
): Promise<{ readonly installation: Installation; readonly app: StoredApp }> {
  const installation = await parts.store.installations.get(id);
  return { installation, app: await allowedApp(parts, context, installation.appId) };
}

export async function allowedRecord(
  parts: ServerParts,
  context: RequestContext,
  id: string,
): Promise<{ readonly record: StoredRecord; readonly app: StoredApp }> {
  const record = await parts.store.records.get(id);
  return { record, app: await allowedApp(parts, context, record.appId) };
}

export async function allowedRollout(
  parts: ServerParts,
  context: RequestContext,
  id: string,
): Promise<{ readonly rollout: StoredRollout; readonly app: StoredApp }> {
  const rollout = await parts.store.rollouts.get(id);
  return { rollout, app: await allowedApp(parts, context, rollout.appId) };
}

/** Who may see a template of the enterprise: everybody of any team. A team's own: its members. */
export async function allowedTemplate(
  parts: ServerParts,
  context: RequestContext,
  id: string,
): Promise<StoredTemplate> {
  const template = await parts.store.templates.get(id);
  allowTemplate(context, template);
  return template;
}

function allowTemplate(context: RequestContext, template: StoredTemplate): void {
  context.allow(template.scope === "team" ? template.teamId : strongestTeam(context.actor));
}

export async function allowedRelease(
  parts: ServerParts,
  context: RequestContext,
  digest: StoredRelease["digest"],
): Promise<StoredRelease> {
  const release = await parts.store.releases.get(digest);
  allowTemplate(context, await parts.store.templates.get(release.templateId));
  return release;
}

/** What the enterprise has is changed in the team that it came from, or by the enterprise's administrator: others only use it. */
export async function templateToChange(
  parts: ServerParts,
  context: RequestContext,
  id: string,
): Promise<StoredTemplate> {
  const template = await parts.store.templates.get(id);
  context.allow(template.teamId);
  return template;
}

export async function releaseToChange(
  parts: ServerParts,
  context: RequestContext,
  digest: StoredRelease["digest"],
): Promise<StoredRelease> {
  const release = await parts.store.releases.get(digest);
  await templateToChange(parts, context, release.templateId);
  return release;
}

/** The team in which the person holds the strongest role: that role counts for what belongs to the whole enterprise. */
export function strongestTeam(actor: Actor): string | undefined {
  const order = ["viewer", "developer", "administrator"];
  return Object.entries(actor.teams).toSorted(([, a], [, b]) => order.indexOf(b) - order.indexOf(a))[0]?.[0];
}

/** The parts of a page query, without absent ones. */
export function pageOf(query: { readonly after?: string | undefined; readonly limit: number }): {
  readonly after?: string;
  readonly limit: number;
} {
  return query.after === undefined ? { limit: query.limit } : { after: query.after, limit: query.limit };
}

/** A page with its items turned into views. */
export async function viewPage<T, V>(
  page: { readonly items: readonly T[]; readonly next?: string },
  view: (item: T) => V | Promise<V>,
): Promise<{ items: V[]; next?: string }> {
  const items = await Promise.all(page.items.map(view));
  return page.next === undefined ? { items } : { items, next: page.next };
}
