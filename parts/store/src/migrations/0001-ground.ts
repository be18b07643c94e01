/** Times are ISO 8601 in UTC with milliseconds, so they sort as text. `sealed…` columns hold encrypted JSON. Booleans are 0 and 1. */
export const groundTables = {
  name: "0001-ground",
  sql: `
CREATE TABLE settings (
  key TEXT PRIMARY KEY, value TEXT NOT NULL, updatedAt TEXT NOT NULL
) STRICT;

CREATE TABLE users (
  id TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE, title TEXT, passwordHash TEXT NOT NULL,
  administrator INTEGER NOT NULL, disabled INTEGER NOT NULL,
  createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL, lastSeenAt TEXT
) STRICT;

CREATE TABLE tokens (
  id TEXT PRIMARY KEY, userId TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('session', 'token')), hash TEXT NOT NULL UNIQUE, label TEXT NOT NULL,
  createdAt TEXT NOT NULL, expiresAt TEXT, lastUsedAt TEXT
) STRICT;
CREATE INDEX tokensOfUser ON tokens (userId, createdAt);

CREATE TABLE teams (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT, createdAt TEXT NOT NULL
) STRICT;

CREATE TABLE members (
  teamId TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  userId TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('administrator', 'developer', 'viewer')), createdAt TEXT NOT NULL,
  PRIMARY KEY (teamId, userId)
) STRICT, WITHOUT ROWID;
CREATE INDEX membersOfUser ON members (userId);

CREATE TABLE apps (
  id TEXT PRIMARY KEY, teamId TEXT NOT NULL REFERENCES teams (id), name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE,
  title TEXT, sealedSpec TEXT NOT NULL, sealedValues TEXT NOT NULL, modules TEXT NOT NULL,
  generation INTEGER NOT NULL, stopped INTEGER NOT NULL, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL,
  UNIQUE (teamId, name)
) STRICT;

CREATE TABLE templates (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL CHECK (scope IN ('team', 'enterprise')),
  teamId TEXT REFERENCES teams (id), tags TEXT NOT NULL, summary TEXT, logo TEXT,
  origin TEXT NOT NULL CHECK (origin IN ('published', 'imported')), createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL,
  CHECK (scope = 'enterprise' OR teamId IS NOT NULL)
) STRICT;
CREATE INDEX templatesByName ON templates (name, id);

CREATE TABLE releases (
  digest TEXT PRIMARY KEY, templateId TEXT NOT NULL REFERENCES templates (id) ON DELETE CASCADE,
  version TEXT NOT NULL, alias TEXT, notes TEXT, document TEXT NOT NULL, publishedAt TEXT NOT NULL,
  importedFrom TEXT, signer TEXT, replacedBy TEXT REFERENCES releases (digest) ON DELETE SET NULL
) STRICT;
CREATE UNIQUE INDEX releasesListed ON releases (templateId, version) WHERE replacedBy IS NULL;
CREATE INDEX releasesByTime ON releases (templateId, publishedAt, digest);

CREATE TABLE installations (
  id TEXT PRIMARY KEY, appId TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  templateId TEXT NOT NULL REFERENCES templates (id), releaseDigest TEXT NOT NULL REFERENCES releases (digest),
  previousDigest TEXT REFERENCES releases (digest), modules TEXT NOT NULL, components TEXT NOT NULL, names TEXT NOT NULL,
  state TEXT NOT NULL,
  createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL
) STRICT;
CREATE INDEX installationsOfApp ON installations (appId, createdAt, id);
CREATE INDEX installationsOfRelease ON installations (releaseDigest);

CREATE TABLE plans (
  id TEXT PRIMARY KEY, appId TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE, generation INTEGER NOT NULL,
  plan TEXT NOT NULL, sealedDesired TEXT NOT NULL, createdAt TEXT NOT NULL
) STRICT;
CREATE INDEX plansOfApp ON plans (appId, createdAt, id);

CREATE TABLE rollouts (
  id TEXT PRIMARY KEY, planId TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
  appId TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE, generation INTEGER NOT NULL,
  state TEXT NOT NULL, reason TEXT, startedAt TEXT NOT NULL, updatedAt TEXT NOT NULL, endedAt TEXT
) STRICT;
CREATE INDEX rolloutsOfPlan ON rollouts (planId);
CREATE INDEX rolloutsOfApp ON rollouts (appId, startedAt, id);
CREATE INDEX rolloutsOpen ON rollouts (appId) WHERE endedAt IS NULL;

CREATE TABLE rolloutSteps (
  rolloutId TEXT NOT NULL REFERENCES rollouts (id) ON DELETE CASCADE, stepId TEXT NOT NULL, ordinal INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'skipped')), message TEXT,
  startedAt TEXT NOT NULL, endedAt TEXT,
  PRIMARY KEY (rolloutId, stepId)
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
  id TEXT PRIMARY KEY, appId TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  installationId TEXT REFERENCES installations (id) ON DELETE SET NULL, kind TEXT NOT NULL,
  fromRelease TEXT, toRelease TEXT, planId TEXT REFERENCES plans (id) ON DELETE SET NULL,
  rolloutId TEXT REFERENCES rollouts (id) ON DELETE SET NULL, rolloutState TEXT,
  sealedSnapshot TEXT, decisions TEXT NOT NULL, result TEXT NOT NULL, note TEXT, who TEXT NOT NULL,
  startedAt TEXT NOT NULL, endedAt TEXT
) STRICT;
CREATE INDEX recordsOfApp ON records (appId, startedAt, id);
CREATE INDEX recordsOfPlan ON records (planId);
CREATE INDEX recordsOfRollout ON records (rolloutId);
CREATE INDEX recordsOfInstallation ON records (installationId, startedAt, id);

CREATE TABLE jobs (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, sealedInput TEXT NOT NULL, teamId TEXT REFERENCES teams (id) ON DELETE CASCADE,
  subject TEXT, startedBy TEXT NOT NULL, idempotencyKey TEXT, lane TEXT,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  cancelRequested INTEGER NOT NULL, workerId TEXT, leaseUntil TEXT, fence INTEGER NOT NULL,
  attempts INTEGER NOT NULL, attemptsMax INTEGER NOT NULL, runAt TEXT NOT NULL,
  progress TEXT, checkpoint TEXT, result TEXT, problem TEXT, logCount INTEGER NOT NULL,
  createdAt TEXT NOT NULL, startedAt TEXT, endedAt TEXT
) STRICT;
CREATE UNIQUE INDEX jobsOnce ON jobs (startedBy, kind, idempotencyKey) WHERE idempotencyKey IS NOT NULL;
CREATE INDEX jobsByTime ON jobs (createdAt, id);
CREATE INDEX jobsWaiting ON jobs (runAt, createdAt, id) WHERE state = 'queued';
CREATE INDEX jobsRunning ON jobs (leaseUntil) WHERE state = 'running';
CREATE UNIQUE INDEX jobsLanes ON jobs (lane) WHERE state = 'running' AND lane IS NOT NULL;
CREATE INDEX jobsEnded ON jobs (endedAt, id) WHERE endedAt IS NOT NULL;

CREATE TABLE jobLogs (
  jobId TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, seq INTEGER NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (jobId, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, what TEXT NOT NULL, who TEXT NOT NULL,
  teamId TEXT, appId TEXT, subject TEXT, outcome TEXT NOT NULL, details TEXT NOT NULL
) STRICT;
CREATE INDEX eventsOfApp ON events (appId, seq);
CREATE INDEX eventsOfTeam ON events (teamId, seq);
CREATE INDEX eventsByTime ON events (at);

CREATE TABLE trustedKeys (
  keyId TEXT PRIMARY KEY, name TEXT NOT NULL, publicKeyPem TEXT NOT NULL, addedBy TEXT NOT NULL, addedAt TEXT NOT NULL,
  revokedAt TEXT
) STRICT;

CREATE TABLE publishDrafts (
  id TEXT PRIMARY KEY, appId TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE, startedBy TEXT NOT NULL,
  sealedDocument TEXT NOT NULL, createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL
) STRICT;
CREATE INDEX publishDraftsOfApp ON publishDrafts (appId, updatedAt, id);

CREATE TABLE imports (
  id TEXT PRIMARY KEY, bundleDigest TEXT NOT NULL, fileName TEXT NOT NULL, sizeBytes INTEGER NOT NULL,
  releases TEXT NOT NULL, signer TEXT, who TEXT NOT NULL, importedAt TEXT NOT NULL
) STRICT;
CREATE INDEX importsByTime ON imports (importedAt, id);
`,
};
