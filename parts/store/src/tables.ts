import type { Digest } from "@sampan/content";
import type { Generated } from "kysely";

/** 0 or 1: SQLite has no booleans. */
export type Flag = number;

/** Columns as they are in the database; what they mean is in README.md. */
export interface Tables {
  settings: { key: string; value: string; updatedAt: string };
  users: {
    id: string;
    name: string;
    title: string | null;
    passwordHash: string;
    administrator: Flag;
    disabled: Flag;
    createdAt: string;
    updatedAt: string;
    lastSeenAt: string | null;
  };
  tokens: {
    id: string;
    userId: string;
    kind: "session" | "token";
    hash: string;
    label: string;
    createdAt: string;
    expiresAt: string | null;
    lastUsedAt: string | null;
  };
  teams: { id: string; name: string; title: string | null; createdAt: string };
  members: {
    teamId: string;
    userId: string;
    role: "administrator" | "developer" | "viewer";
    createdAt: string;
  };
  apps: {
    id: string;
    teamId: string;
    name: string;
    slug: string;
    title: string | null;
    sealedSpec: string;
    sealedValues: string;
    modules: string;
    generation: number;
    stopped: Flag;
    createdAt: string;
    updatedAt: string;
  };
  templates: {
    id: string;
    name: string;
    scope: "team" | "enterprise";
    teamId: string | null;
    tags: string;
    summary: string | null;
    logo: string | null;
    origin: "published" | "imported";
    createdAt: string;
    updatedAt: string;
  };
  releases: {
    digest: Digest;
    templateId: string;
    version: string;
    alias: string | null;
    notes: string | null;
    document: string;
    publishedAt: string;
    importedFrom: string | null;
    signer: string | null;
    replacedBy: Digest | null;
  };
  installations: {
    id: string;
    appId: string;
    templateId: string;
    releaseDigest: Digest;
    previousDigest: Digest | null;
    modules: string;
    components: string;
    names: string;
    state: string;
    createdAt: string;
    updatedAt: string;
  };
  plans: {
    id: string;
    appId: string;
    generation: number;
    plan: string;
    sealedDesired: string;
    createdAt: string;
  };
  rollouts: {
    id: string;
    planId: string;
    appId: string;
    generation: number;
    state: string;
    reason: string | null;
    startedAt: string;
    updatedAt: string;
    endedAt: string | null;
  };
  rolloutSteps: {
    rolloutId: string;
    stepId: string;
    ordinal: number;
    state: "running" | "succeeded" | "failed" | "skipped";
    message: string | null;
    startedAt: string;
    endedAt: string | null;
  };
  records: {
    id: string;
    appId: string;
    installationId: string | null;
    kind: string;
    fromRelease: Digest | null;
    toRelease: Digest | null;
    planId: string | null;
    rolloutId: string | null;
    rolloutState: string | null;
    sealedSnapshot: string | null;
    decisions: string;
    result: string;
    note: string | null;
    who: string;
    startedAt: string;
    endedAt: string | null;
    preflight: string | null;
    dataSnapshotId: string | null;
  };
  dataSnapshots: {
    id: string;
    appId: string;
    appName: string;
    teamId: string;
    recordId: string | null;
    reason: "upgrade" | "request" | "restore" | "rollback" | "backup";
    note: string | null;
    who: string;
    state: "taking" | "complete" | "failed";
    volumes: string;
    imageId: Digest | null;
    sizeBytes: number;
    message: string | null;
    startedAt: string;
    endedAt: string | null;
  };
  reports: {
    recordId: string;
    appId: string;
    teamId: string;
    envelope: string;
    countersignatures: string;
    createdAt: string;
  };
  jobs: {
    id: string;
    kind: string;
    sealedInput: string;
    teamId: string | null;
    subject: string | null;
    startedBy: string;
    idempotencyKey: string | null;
    lane: string | null;
    state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
    cancelRequested: Flag;
    workerId: string | null;
    leaseUntil: string | null;
    fence: number;
    attempts: number;
    attemptsMax: number;
    runAt: string;
    progress: string | null;
    checkpoint: string | null;
    result: string | null;
    problem: string | null;
    logCount: number;
    createdAt: string;
    startedAt: string | null;
    endedAt: string | null;
  };
  jobLogs: { jobId: string; seq: number; at: string; text: string };
  events: {
    seq: Generated<number>;
    at: string;
    what: string;
    who: string;
    teamId: string | null;
    appId: string | null;
    subject: string | null;
    outcome: string;
    details: string;
  };
  trustedKeys: {
    keyId: string;
    name: string;
    publicKeyPem: string;
    addedBy: string;
    addedAt: string;
    revokedAt: string | null;
  };
  publishDrafts: {
    id: string;
    appId: string;
    startedBy: string;
    sealedDocument: string;
    createdAt: string;
    updatedAt: string;
  };
  imports: {
    id: string;
    bundleDigest: string;
    fileName: string;
    sizeBytes: number;
    releases: string;
    signer: string | null;
    who: string;
    importedAt: string;
    layerBytes: number | null;
    tookMs: number | null;
  };
  told: { what: "import" | "report"; id: string; sequence: number };
  sites: {
    id: string;
    name: string;
    keyId: string;
    publicKeyPem: string;
    sequence: number;
    state: string | null;
    summary: string;
    notes: string | null;
    firstSeenAt: string;
    lastSeenAt: string;
  };
  siteReceipts: { siteId: string; sequence: number; receipt: string; who: string; receivedAt: string };
}
