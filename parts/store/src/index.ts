export type { AppSummary, AppValues, StoredApp } from "./apps.ts";
export type { Change, Noun, Watcher } from "./change.ts";
export type { Seal } from "./context.ts";
export type {
  DataSnapshot,
  DataSnapshotReason,
  DataSnapshotState,
  DataSnapshotVolume,
} from "./data-snapshots.ts";
export type { AuditEvent } from "./events.ts";
export type { Housekeeping, Retention } from "./housekeep.ts";
export type { ImportRecord } from "./imports.ts";
export type { Installation } from "./installations.ts";
export type { ClaimedJob, Job, JobLogLine, JobProgress, JobState, Lease } from "./job-types.ts";
export type { JobRequest } from "./jobs.ts";
export type { Nouns } from "./nouns.ts";
export { openStore, type Store, type StoreOptions } from "./open-store.ts";
export type { Page, PageRequest, Sight } from "./page.ts";
export { type Policy, policyDefaults, policyLimits } from "./policy.ts";
export { storeProblem, storeProblems } from "./problems.ts";
export type { PublishDraft } from "./publish-drafts.ts";
export type { RecordKind, RecordResult, Snapshot, StoredRecord } from "./records.ts";
export type { ReleaseSummary, StoredRelease } from "./releases.ts";
export type { Countersignature, StoredReport } from "./reports.ts";
export type { StoredRollout, StoredStep } from "./rollouts.ts";
export type { JobHandler, JobRun } from "./run-job.ts";
export { type RunnerOptions, runJobs } from "./run-jobs.ts";
export type { Told } from "./site-documents.ts";
export type { LedgerSite, SiteReceipt } from "./sites.ts";
export type { Member, Team, TeamRole } from "./teams.ts";
export type { StoredTemplate } from "./templates.ts";
export type { Token } from "./tokens.ts";
export type { TrustedKey } from "./trusted-keys.ts";
export type { User } from "./users.ts";
