import {
  availableFor,
  CHECK_PREFIX,
  type ComponentHealth,
  observe,
  readRelease,
  recordOfRollout,
} from "@sampan/delivery";
import { maskApp } from "@sampan/plan";
import type { AppSummary, Installation, StoredApp, StoredRollout, StoredStep } from "@sampan/store";
import type { App } from "@sampan/template";
import { planView } from "./change-views.ts";
import type { ServerParts } from "./server-parts.ts";

export async function installationBriefs(parts: ServerParts, appId: string) {
  const { items } = await parts.store.installations.list({ kind: "all" }, { appId }, { limit: 200 });
  return await Promise.all(items.map((one) => installationBrief(parts, one)));
}

async function installationBrief(parts: ServerParts, installation: Installation) {
  const { stored, release } = await readRelease(parts, installation.releaseDigest);
  const [newest] = await availableFor(parts, stored, installation);
  return {
    id: installation.id,
    templateId: installation.templateId,
    templateName: release.template.name,
    version: stored.version,
    releaseDigest: stored.digest,
    ...(newest === undefined ? {} : { available: { version: newest.version, releaseDigest: newest.digest } }),
  };
}

export async function appBrief(parts: ServerParts, summary: AppSummary) {
  const [seen, installations, team, open, stored] = await Promise.all([
    observe(parts, summary),
    installationBriefs(parts, summary.id),
    parts.store.teams.get(summary.teamId),
    parts.store.rollouts.list({ kind: "all" }, { appId: summary.id, open: true }, { limit: 1 }),
    parts.store.apps.get(summary.id),
  ]);
  return {
    id: summary.id,
    name: summary.name,
    ...(summary.title === undefined ? {} : { title: summary.title }),
    teamId: summary.teamId,
    teamName: team.name,
    generation: summary.generation,
    health: seen.health,
    pending: open.items.length > 0,
    stopped: summary.stopped,
    components: Object.keys(stored.spec.components).length,
    installations,
    createdAt: summary.createdAt,
    updatedAt: summary.updatedAt,
  };
}

export async function appView(parts: ServerParts, app: StoredApp) {
  const [brief, seen, open] = await Promise.all([
    appBrief(parts, app),
    observe(parts, app),
    parts.store.rollouts.list({ kind: "all" }, { appId: app.id, open: true }, { limit: 1 }),
  ]);
  const byName = new Map(seen.components.map((one) => [one.name, one]));
  return {
    ...brief,
    spec: maskApp(app.spec) as unknown as Record<string, unknown>,
    ...(seen.observed === undefined ? {} : { observedAt: seen.observed.at }),
    complete: seen.observed?.complete ?? false,
    remarks: [...seen.remarks],
    componentsView: Object.keys(app.spec.components)
      .toSorted()
      .map((name) => componentView(app.spec, name, byName.get(name))),
    ...(open.items[0] === undefined ? {} : { rolloutId: open.items[0].id }),
  };
}

function componentView(spec: App, name: string, seen: ComponentHealth | undefined) {
  const component = spec.components[name];
  const image = component?.image;
  return {
    name,
    id: component?.id ?? "",
    kind: component?.kind ?? ("stateless" as const),
    health: seen?.health ?? ("stopped" as const),
    replicas: seen?.replicas ?? 0,
    ready: seen?.ready ?? 0,
    needs: component?.needs ?? [],
    off: seen === undefined,
    imageName: typeof image === "string" ? image : (image?.name ?? ""),
    ...(component?.installation === undefined ? {} : { installationId: component.installation }),
    instances: (seen?.instances ?? []).map((instance) => ({
      ...instance,
      hostPorts: [...instance.hostPorts],
    })),
  };
}

const STEP_STATE = { running: "running", succeeded: "done", failed: "failed", skipped: "skipped" } as const;

export async function rolloutView(parts: ServerParts, rollout: StoredRollout) {
  const [plan, steps, record] = await Promise.all([
    parts.store.plans.get(rollout.planId),
    parts.store.rollouts.steps(rollout.id),
    recordOfRollout(parts, rollout),
  ]);
  const byId = new Map(steps.map((step) => [step.stepId, step]));
  return {
    id: rollout.id,
    appId: rollout.appId,
    ...(record === undefined ? {} : { recordId: record.id }),
    state: rollout.state,
    plan: planView(plan, plan.generation - 1),
    results: plan.steps.map((step) => ({
      ...resultView(step.id, byId.get(step.id)),
      ...progressView(parts, rollout.id, step.id),
    })),
    checks: steps.filter((step) => step.stepId.startsWith(CHECK_PREFIX)).map(checkView),
    startedAt: rollout.startedAt,
    ...(rollout.endedAt === undefined ? {} : { endedAt: rollout.endedAt }),
    ...(rollout.reason === undefined ? {} : { message: rollout.reason }),
  };
}

export function resultView(stepId: string, step: StoredStep | undefined) {
  if (step === undefined) return { stepId, state: "pending" as const };
  return {
    stepId,
    state: STEP_STATE[step.state],
    startedAt: step.startedAt,
    ...(step.endedAt === undefined ? {} : { endedAt: step.endedAt }),
    ...(step.message === undefined ? {} : { error: step.message }),
  };
}

/** How far a step under way has come; nothing once it has ended. */
function progressView({ progress }: ServerParts, rolloutId: string, stepId: string) {
  const far = progress.of(rolloutId, stepId);
  return far === undefined ? {} : { progress: { ...far } };
}

const CHECK_STATE = { running: "pending", succeeded: "passed", failed: "failed", skipped: "failed" } as const;

export function checkView(step: StoredStep) {
  const { startedAt, endedAt } = step;
  return {
    name: step.stepId.slice(CHECK_PREFIX.length),
    state: CHECK_STATE[step.state],
    ...(step.message === undefined ? {} : { message: step.message }),
    ...(endedAt === undefined ? {} : { tookMs: Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) }),
  };
}
