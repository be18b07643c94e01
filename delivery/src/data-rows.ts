import type { Plan } from "@sampan/plan";
import type { DataSnapshotReason, Nouns, RecordKind, StoredRecord } from "@sampan/store";

/** Captures are for the change that they come before; a person asks for those of kind snapshot. */
const REASONS: Partial<Record<RecordKind, DataSnapshotReason>> = {
  upgrade: "upgrade",
  rollback: "rollback",
  restore: "restore",
};

/** The data snapshot that a plan captures into; undefined when it captures nothing. */
export function capturedBy(plan: Pick<Plan, "steps">): string | undefined {
  return plan.steps.find((step) => step.kind === "data.capture")?.snapshotId;
}

/** The data snapshot that a plan puts back; undefined when it puts none back. */
export function restoredBy(plan: Pick<Plan, "steps">): string | undefined {
  return plan.steps.find((step) => step.kind === "data.restore")?.snapshotId;
}

/** Notes the snapshot that a plan captures into, with the record that it belongs to. Within the transaction that keeps both. */
export async function beginDataSnapshot(
  nouns: Nouns,
  of: {
    readonly plan: Pick<Plan, "steps">;
    readonly record: StoredRecord;
    readonly app: { readonly name: string; readonly teamId: string };
    readonly reason?: DataSnapshotReason | undefined;
  },
): Promise<void> {
  const { plan, record, app } = of;
  const id = capturedBy(plan);
  if (id === undefined) return;
  await nouns.dataSnapshots.begin({
    id,
    appId: record.appId,
    appName: app.name,
    teamId: app.teamId,
    recordId: record.id,
    reason: of.reason ?? REASONS[record.kind] ?? "request",
    who: record.who,
    ...(record.note === undefined ? {} : { note: record.note }),
  });
}
