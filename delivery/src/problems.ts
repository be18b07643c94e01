import { EXIT, problemsOf } from "@sampan/problem";

export const deliveryProblems = {
  APP_EXISTS: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The team has an app of this name already. Choose another name, or change that app.",
  },
  APP_MOVED: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The app was changed since the plan was made. Look at the new plan.",
  },
  PLAN_CHANGED: {
    status: 409,
    exit: EXIT.conflict,
    doc: "What would be done now is not what the plan said that was looked at: the engine, the answers or the site's policy have changed since. Look at the new plan.",
  },
  NOTE_REQUIRED: {
    status: 422,
    exit: EXIT.usage,
    doc: "The site's policy demands a reason for this change: give a note. An administrator can switch that off.",
  },
  PREFLIGHT_FAILED: {
    status: 409,
    exit: EXIT.refused,
    doc: "The site lacks something that the app needs; each check says what to do. Mend it, or go on all the same: the record keeps what failed.",
  },
  APP_UNSEEN: {
    status: 503,
    exit: EXIT.outside,
    doc: "The engine showed only a part of the app, and a change planned on that would seem done without being so. Try again when the engine is well.",
  },
  RENAME_LOSES_DATA: {
    status: 409,
    exit: EXIT.refused,
    doc: "A component with volumes would get another name, and so empty volumes. Keep its name, or make it a new component.",
  },
  APP_BUSY: {
    status: 409,
    exit: EXIT.conflict,
    doc: "A rollout of this app is under way. Wait for it, or cancel it.",
  },
  IMAGE_ABSENT: {
    status: 422,
    exit: EXIT.absent,
    doc: "An image reference stands for nothing in the engine or in Sampan's registry. Build, load or push it.",
  },
  PLATFORM_UNFIT: {
    status: 409,
    exit: EXIT.refused,
    doc: "The release has no image that this machine can run. Export it for this architecture.",
  },
  HOST_PORT_TAKEN: {
    status: 409,
    exit: EXIT.conflict,
    doc: "A port of the machine is used by another app of this site. Choose another port.",
  },
  PRIVILEGES_REFUSED: {
    status: 403,
    exit: EXIT.refused,
    doc: "A component is privileged, or has capabilities beyond a container's ordinary ones, and the site does not allow that. SAMPAN_ALLOW_PRIVILEGED=yes in the server's environment does.",
  },
  TEMPLATE_ELSEWHERE: {
    status: 409,
    exit: EXIT.refused,
    doc: "The template belongs to the enterprise or to another team of this site. Only an administrator of the enterprise may bring releases of it.",
  },
  RELEASE_INSTALLED: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The release is installed, so it stays. Remove the installation first.",
  },
  VERSION_EXISTS: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The version was published before. Say that it is to be replaced, or choose another number.",
  },
  PUBLISH_REFUSED: {
    status: 409,
    exit: EXIT.refused,
    doc: "The publish report has findings that must be mended or accepted.",
  },
  UPGRADE_SELECTION: {
    status: 422,
    exit: EXIT.usage,
    doc: "The selection or the mapping names components that are not there, or leaves nothing to do. The message says what can be named.",
  },
  RECORDS_UNLIKE: {
    status: 422,
    exit: EXIT.usage,
    doc: "Two records can be compared when they are of the same app and it is known what each made of it.",
  },
  REPORT_ABSENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "There is no acceptance report of this: they are made of installs, upgrades and rollbacks, once they have ended.",
  },
  COUNTERSIGNATURE_INVALID: {
    status: 422,
    exit: EXIT.usage,
    doc: "The signature is not of this report, or not of the key that came with it. Sign the payload of the report's envelope, as DSSE says.",
  },
  ROLLBACK_IMPOSSIBLE: {
    status: 409,
    exit: EXIT.refused,
    doc: "The record cannot be rolled back; it says why.",
  },
  RECOVERY_IMPOSSIBLE: {
    status: 409,
    exit: EXIT.refused,
    doc: "What the engine still holds of the app does not tell what it was made of. Restore a backup of the database.",
  },
  BUNDLE_FILE_ABSENT: {
    status: 404,
    exit: EXIT.absent,
    doc: "There is no such bundle file at this site, or the path is outside the directories that the site allows.",
  },
  DISK_FULL: {
    status: 507,
    exit: EXIT.outside,
    doc: "The disk of the site has not enough room. Free some, prune the hold, or import straight from the stick.",
  },
  RELEASE_INVALID: {
    status: 422,
    exit: EXIT.damaged,
    doc: "A release in a bundle cannot be read, or lacks what it needs. Ask the vendor to publish and export it again.",
  },
  UPLOAD_OUT_OF_STEP: {
    status: 409,
    exit: EXIT.conflict,
    doc: "The part does not begin where the upload ended. Ask how far it has come, and go on from there.",
  },
  ROLLOUT_FAILED: {
    status: 502,
    exit: EXIT.failed,
    doc: "The change was not brought to health. The record says which step failed and why.",
  },
  BACKUP_INVALID: {
    status: 422,
    exit: EXIT.damaged,
    doc: "The file is not a backup of an app, or what it says of the app cannot be read by this version.",
  },
  DATA_ABSENT: {
    status: 409,
    exit: EXIT.refused,
    doc: "The app has no data that could be captured: no component has a volume of its own that lasts, or none exists yet.",
  },
  DATA_SNAPSHOT_IN_USE: {
    status: 409,
    exit: EXIT.conflict,
    doc: "A rollout that is under way captures into the data snapshot, or needs it. Wait until it has ended.",
  },
  DATA_SNAPSHOT_UNUSABLE: {
    status: 409,
    exit: EXIT.refused,
    doc: "The data snapshot is not complete, its content is gone, or it lacks what is to be put back. Choose another one.",
  },
  DATA_COMMAND_FAILED: {
    status: 502,
    exit: EXIT.failed,
    doc: "A command that a component names under `snapshot` failed, or there was no instance to run it in. The message has the end of what it said.",
  },
  EXPORT_BASE_ABSENT: {
    status: 409,
    exit: EXIT.absent,
    doc: "What an increment is to build on is not known here: take the state of the site into the ledger, name a release that is held here, or export a full bundle.",
  },
  NOT_FOUND: { status: 404, exit: EXIT.absent, doc: "There is no such thing, or you cannot see it." },
} as const;

export const deliveryProblem = problemsOf(deliveryProblems);
