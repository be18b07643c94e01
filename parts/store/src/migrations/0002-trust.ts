/**
 * Data snapshots and acceptance reports outlive their app: neither refers to it. A team cannot go while it has data snapshots.
 * Volumes and countersignatures are JSON lists.
 */
export const trustTables = {
  name: "0002-trust",
  sql: `
CREATE TABLE dataSnapshots (
  id TEXT PRIMARY KEY, appId TEXT NOT NULL, appName TEXT NOT NULL, teamId TEXT NOT NULL REFERENCES teams (id),
  recordId TEXT, reason TEXT NOT NULL CHECK (reason IN ('upgrade', 'request', 'restore', 'rollback', 'backup')),
  note TEXT, who TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('taking', 'complete', 'failed')),
  volumes TEXT NOT NULL, imageId TEXT, sizeBytes INTEGER NOT NULL, message TEXT,
  startedAt TEXT NOT NULL, endedAt TEXT
) STRICT;
CREATE INDEX dataSnapshotsOfApp ON dataSnapshots (appId, startedAt, id);
CREATE INDEX dataSnapshotsOfTeam ON dataSnapshots (teamId, startedAt, id);
CREATE INDEX dataSnapshotsTaking ON dataSnapshots (startedAt, id) WHERE state = 'taking';

CREATE TABLE reports (
  recordId TEXT PRIMARY KEY, appId TEXT NOT NULL, teamId TEXT NOT NULL, envelope TEXT NOT NULL,
  countersignatures TEXT NOT NULL, createdAt TEXT NOT NULL
) STRICT;
CREATE INDEX reportsOfApp ON reports (appId, createdAt, recordId);
CREATE INDEX reportsOfTeam ON reports (teamId, createdAt, recordId);

ALTER TABLE records ADD COLUMN preflight TEXT;
ALTER TABLE records ADD COLUMN dataSnapshotId TEXT;
CREATE INDEX recordsOfDataSnapshot ON records (dataSnapshotId) WHERE dataSnapshotId IS NOT NULL;
`,
};
