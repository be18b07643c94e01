import type { Digest } from "@sampan/content";
import { CHECK_PREFIX, diffRecords, isReported, rollback, rollbackVerdict } from "@sampan/delivery";
import { type PreflightCheck, stepWords } from "@sampan/plan";
import type { StoredApp, StoredRecord } from "@sampan/store";
import { serverProblem } from "../http/problems.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { mergeReply } from "./change-views.ts";
import { allowedRecord, pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";
import { checkView, resultView } from "./views.ts";

/** What a record keeps beside the store's own columns. */
interface RecordDetails {
  readonly decisions: Readonly<Record<string, string>>;
  readonly onFailure: "return" | "hold";
}

export function recordHandlers(
  parts: ServerParts,
): Pick<Handlers, "listRecords" | "getRecord" | "diffRecords" | "rollback"> {
  const { store } = parts;
  return {
    listRecords: async ({ query }, context) => {
      const filter = {
        ...(query.app === undefined ? {} : { appId: query.app }),
        ...(query.installation === undefined ? {} : { installationId: query.installation }),
      };
      return await viewPage(
        await store.records.list(sightOf(context.actor), filter, pageOf(query)),
        async (record) => recordView(parts, record, await store.apps.get(record.appId)),
      );
    },
    getRecord: async ({ params }, context) => {
      const { record, app } = await allowedRecord(parts, context, params.id);
      return await recordDetail(parts, record, app);
    },
    diffRecords: async ({ params }, context) => {
      const from = await allowedRecord(parts, context, params.id);
      const to = await allowedRecord(parts, context, params.other);
      return { changes: [...(await diffRecords(parts, from.record, to.record))] };
    },
    rollback: async ({ params, body }, context) => {
      const { record, app } = await allowedRecord(parts, context, params.id);
      return await mergeReply(
        parts,
        await rollback(parts, { by: context.actor, app, record, ...rollbackChoice(body) }, body),
      );
    },
  };
}

type RollbackBody = Parameters<Handlers["rollback"]>[0]["body"];

function rollbackChoice({ removeAdded, keepEdits, restoreData, snapshot, captureFirst }: RollbackBody) {
  if (!restoreData && snapshot !== undefined)
    throw serverProblem("API_INVALID", "the request has a fault", {
      faults: [{ path: "snapshot", message: "is for a rollback that puts data back: say restoreData" }],
    });
  return {
    removeAdded,
    keepEdits,
    captureFirst,
    ...(restoreData ? { restoreData: snapshot ?? "record" } : {}),
  };
}

async function recordView(parts: ServerParts, record: StoredRecord, app: StoredApp) {
  const verdict = rollbackVerdict(record);
  const version = async (digest: Digest | undefined) =>
    digest === undefined
      ? undefined
      : parts.store.releases.get(digest).then(
          (release) => ({ version: release.version, digest }),
          () => ({ version: "?", digest }),
        );
  const [from, to] = [await version(record.fromRelease), await version(record.toRelease)];
  const rollout =
    record.rolloutId === undefined
      ? undefined
      : await parts.store.rollouts.get(record.rolloutId).catch(() => undefined);
  return {
    id: record.id,
    appId: app.id,
    appName: app.name,
    ...(record.installationId === undefined ? {} : { installationId: record.installationId }),
    kind: record.kind,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    state: record.rolloutState ?? record.result,
    ...(rollout?.reason === undefined ? {} : { result: rollout.reason }),
    ...(record.note === undefined ? {} : { note: record.note }),
    who: record.who,
    startedAt: record.startedAt,
    ...(record.endedAt === undefined ? {} : { endedAt: record.endedAt }),
    ...(record.rolloutId === undefined ? {} : { rolloutId: record.rolloutId }),
    ...(record.dataSnapshotId === undefined ? {} : { dataSnapshotId: record.dataSnapshotId }),
    canRollBack: verdict.possible,
    ...(verdict.possible ? {} : { cannotRollBackBecause: verdict.reason }),
  };
}

async function recordDetail(parts: ServerParts, record: StoredRecord, app: StoredApp) {
  const { store } = parts;
  const details = record.decisions as Partial<RecordDetails>;
  const plan = record.planId === undefined ? undefined : await store.plans.get(record.planId);
  const ran = record.rolloutId === undefined ? [] : await store.rollouts.steps(record.rolloutId);
  const byId = new Map(ran.map((step) => [step.stepId, step]));
  return {
    ...(await recordView(parts, record, app)),
    decisions: { ...details.decisions },
    onFailure: details.onFailure ?? ("hold" as const),
    preflight: [...((record.preflight ?? []) as readonly PreflightCheck[])],
    steps: (plan?.steps ?? []).map((step) => ({
      ...resultView(step.id, byId.get(step.id)),
      text: stepWords(step).join(" "),
      why: step.why,
    })),
    checks: ran.filter((step) => step.stepId.startsWith(CHECK_PREFIX)).map(checkView),
    reportAvailable: isReported(record),
  };
}
