import type { Digest } from "@sampan/content";
import { MASK, type Plan, type PreflightCheck, stepWords } from "@sampan/plan";
import type { Report } from "@sampan/report";
import type { StoredRecord, StoredStep } from "@sampan/store";
import { CHECK_PREFIX } from "./accept.ts";
import { type AppState, stateAfter } from "./app-history.ts";
import { findRelease } from "./library.ts";
import type { Parts } from "./parts.ts";
import type { RecordDetails } from "./records.ts";

export type ReportedRecord = StoredRecord & {
  readonly kind: Report["kind"];
  readonly planId: string;
  readonly rolloutId: string;
  readonly endedAt: string;
};

/** Installs, upgrades and rollbacks are reported, once they have ended. */
export function isReported(record: StoredRecord): record is ReportedRecord {
  const { kind, planId, rolloutId, endedAt } = record;
  const isKind = kind === "install" || kind === "upgrade" || kind === "rollback";
  return isKind && planId !== undefined && rolloutId !== undefined && endedAt !== undefined;
}

type ReportParts = Pick<Parts, "store" | "site" | "productVersion">;

/** What the site vouches for, from what it remembers: the same whenever it is asked. */
export async function reportContent(parts: ReportParts, record: ReportedRecord): Promise<Report> {
  const { store } = parts;
  const plan = await store.plans.get(record.planId);
  const rollout = await store.rollouts.get(record.rolloutId);
  const steps = await store.rollouts.steps(record.rolloutId);
  const desired = await store.plans.desired(record.planId);
  const app = await store.apps.get(record.appId);
  const details = record.decisions as Partial<RecordDetails>;
  const state = await stateAfter(parts, record);
  const dataSnapshot = record.dataSnapshotId ?? details.restored;
  const result = RESULTS[rollout.state] ?? "failed";
  return {
    schema: 1,
    id: record.id,
    site: { id: parts.site.id, keyId: parts.site.signer.keyId },
    productVersion: parts.productVersion,
    team: (await store.teams.get(app.teamId)).name,
    app: { id: app.id, name: app.name, ...(app.title === undefined ? {} : { title: cut(app.title) }) },
    kind: record.kind,
    ...(await releasesOfRecord(parts, record)),
    images: desired.components.map(({ name, spec }) => ({
      component: name,
      name: cut(spec.image.name),
      id: spec.image.id,
    })),
    modules: Object.entries(state?.modules ?? {}).flatMap(([name, isOn]) => (isOn ? [name] : [])),
    parameters: parametersOf(state),
    preflight: ((record.preflight ?? []) as readonly PreflightCheck[]).map((check) => ({ ...check })),
    plan: {
      ...(details.digest === undefined ? {} : { digest: details.digest }),
      steps: stepsOf(plan, steps),
    },
    acceptance: steps.flatMap(checkOf),
    result,
    ...(result === "succeeded" || rollout.reason === undefined
      ? {}
      : { reason: cut(rollout.reason, WORDS_LENGTH_MAX) }),
    ...(dataSnapshot === undefined ? {} : { dataSnapshot }),
    who: cut(record.who),
    ...(record.note === undefined ? {} : { why: record.note }),
    startedAt: record.startedAt,
    endedAt: record.endedAt,
  };
}

const RESULTS: Readonly<Record<string, Report["result"]>> = {
  succeeded: "succeeded",
  returned: "returned",
  cancelled: "cancelled",
  superseded: "cancelled",
};

const WORD_LENGTH_MAX = 512;
/** What a reader of reports takes of a text: one that is longer would be signed, and never read again. */
const WORDS_LENGTH_MAX = 16_384;

function cut(text: string, lengthMax = WORD_LENGTH_MAX): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}

async function releasesOfRecord(
  parts: ReportParts,
  { fromRelease, toRelease }: StoredRecord,
): Promise<Pick<Report, "template" | "from" | "to">> {
  const known = toRelease ?? fromRelease;
  const release = known === undefined ? undefined : await findRelease(parts, known);
  const template = release && (await parts.store.templates.get(release.templateId));
  const [from, to] = [await versionOf(parts, fromRelease), await versionOf(parts, toRelease)];
  return {
    ...(template === undefined ? {} : { template: { id: template.id, name: template.name } }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

/** A release that was removed since is told by its digest. */
async function versionOf(parts: ReportParts, digest: Digest | undefined): Promise<Report["from"]> {
  if (digest === undefined) return undefined;
  return { version: (await findRelease(parts, digest))?.version ?? "?", digest };
}

/** What was asked and answered; passwords are masked. */
function parametersOf(state: AppState | undefined): Report["parameters"] {
  const questions = Object.entries(state?.spec.parameters ?? {});
  return questions.flatMap(([name, { title, type }]) => {
    const answer = state?.values.parameters[name];
    if (answer === undefined) return [];
    const secret = type === "password";
    const value = secret ? MASK : cut(String(answer), VALUE_LENGTH_MAX);
    return [{ name, ...(title === undefined ? {} : { title: cut(title) }), value, secret }];
  });
}

const VALUE_LENGTH_MAX = 4000;

const STEP_STATES = {
  succeeded: "succeeded",
  failed: "failed",
  skipped: "skipped",
  running: "not begun",
} as const;

function stepsOf(plan: Plan, steps: readonly StoredStep[]): Report["plan"]["steps"] {
  const byId = new Map(steps.map((step) => [step.stepId, step]));
  return plan.steps.map((step) => {
    const done = byId.get(step.id);
    const [, object] = stepWords(step);
    const wasDone = done !== undefined && done.state !== "skipped";
    return {
      id: step.id,
      kind: step.kind,
      object,
      why: step.why,
      state: done === undefined ? "not begun" : STEP_STATES[done.state],
      ...(done?.message === undefined ? {} : { message: cut(done.message, WORDS_LENGTH_MAX) }),
      ...(wasDone ? { startedAt: done.startedAt, ...tookOf(done) } : {}),
    };
  });
}

function checkOf(step: StoredStep): Report["acceptance"] {
  if (!step.stepId.startsWith(CHECK_PREFIX) || step.state === "running") return [];
  const name = step.stepId.slice(CHECK_PREFIX.length);
  const state = step.state === "succeeded" ? "passed" : "failed";
  return [
    {
      name,
      state,
      ...(step.message === undefined ? {} : { message: cut(step.message, WORDS_LENGTH_MAX) }),
      ...tookOf(step),
    },
  ];
}

/** A clock that was set back meanwhile tells no time. */
function tookOf({ startedAt, endedAt }: StoredStep): { readonly tookMs?: number } {
  const tookMs = endedAt === undefined ? -1 : Date.parse(endedAt) - Date.parse(startedAt);
  return tookMs < 0 ? {} : { tookMs };
}
