export { accept, CHECK_PREFIX, type CheckResult } from "./accept.ts";
export { type AppState, releasesAfter, stateAfter } from "./app-history.ts";
export {
  type Answers,
  type AppGiven,
  createApp,
  newApp,
  readApp,
  removeApp,
  scaleComponent,
  setRunning,
  switchModules,
  updateApp,
} from "./apps.ts";
export {
  type BackedUp,
  type BackupOptions,
  type BackupWish,
  backUp,
} from "./backup.ts";
export { type BundleFile, BundleFiles } from "./bundle-files.ts";
export { type PartOfBundle, partOf, readOfBundle } from "./bundle-part.ts";
export { type Change, type Changed, type ChangeOptions, change, type NewApp, planFor } from "./change.ts";
export { dropLostReferences, protectKnownSnapshots } from "./data-content.ts";
export {
  type DataChanged,
  type RestoreWish,
  removeSnapshot,
  restoreSnapshot,
  type SnapshotWish,
  takeSnapshot,
} from "./data-snapshots.ts";
export { type CaptureChoice, captureWish, type DataPreview, dataPreview, dataRemarks } from "./data-wish.ts";
export { desiredOf } from "./desired-of.ts";
export { diffRecords } from "./diff-records.ts";
export { type ExportWish, exportBundle } from "./export.ts";
export { type ExportPlan, planExport } from "./export-plan.ts";
export { allApps } from "./host-ports.ts";
export { imageTag } from "./images.ts";
export { type Imported, type ImportOptions, type ImportWish, importRelease, isBackup } from "./import.ts";
export { type InstallWish, install } from "./install.ts";
export {
  findSite,
  historyOfSite,
  type SiteHistory,
  type SiteSummary,
  stateOfSite,
  type TakenIn,
  takeIn,
} from "./ledger.ts";
export {
  availableFor,
  imagesOfRelease,
  isInSight,
  readRelease,
  referenceName,
  releaseDiff,
  releaseOfText,
  releasesOf,
  removeRelease,
  removeTemplate,
} from "./library.ts";
export { isInParts } from "./merge-base.ts";
export type { MergedChange } from "./merge-change.ts";
export { type AppHealth, type ComponentHealth, type Health, observe } from "./observe.ts";
export type { Actor, Parts, SiteIdentity } from "./parts.ts";
export { deliveryProblem, deliveryProblems } from "./problems.ts";
export { previewPublish, publish } from "./publish.ts";
export type { ComponentShare, Finding, PublishReport } from "./publish-report.ts";
export type { Published, PublishPreview, PublishWish } from "./publish-wish.ts";
export { makeReceipt } from "./receipt.ts";
export { reconcile } from "./reconcile.ts";
export { Reconciler, type ReconcilerOptions } from "./reconciler.ts";
export { recordOfRollout } from "./records.ts";
export { type Recovered, type RecoverWish, recoverApp } from "./recover.ts";
export {
  type CountersignWish,
  countersign,
  keepReport,
  type ReportView,
  reportJson,
  reportOf,
  reportPage,
} from "./report.ts";
export { isReported } from "./report-content.ts";
export { type RestoreBackupWish, type RestoredBackup, restoreBackup } from "./restore-backup.ts";
export { type RollbackWish, rollback, rollbackVerdict } from "./rollback.ts";
export { cancelRollout, runRollout } from "./rollout.ts";
export { Scheduler, type SchedulerOptions } from "./schedule.ts";
export type { SiteDocument } from "./site-document.ts";
export { makeSiteState } from "./site-state.ts";
export { type StartWish, startingPoints } from "./starting-points.ts";
export { StepProgress } from "./step-progress.ts";
export { type UpgradeWish, upgrade } from "./upgrade.ts";
