/**
 * At a site: how long imports took, and which number of its receipts told of an import or a report first. At a vendor: the sites that it
 * knows, each by the key of its first file, and their receipts.
 */
export const ledgerTables = {
  name: "0003-ledger",
  sql: `
ALTER TABLE imports ADD COLUMN layerBytes INTEGER;
ALTER TABLE imports ADD COLUMN tookMs INTEGER;

CREATE TABLE told (
  what TEXT NOT NULL CHECK (what IN ('import', 'report')), id TEXT NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY (what, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sites (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, keyId TEXT NOT NULL, publicKeyPem TEXT NOT NULL,
  sequence INTEGER NOT NULL, state TEXT, summary TEXT NOT NULL, notes TEXT,
  firstSeenAt TEXT NOT NULL, lastSeenAt TEXT NOT NULL
) STRICT;
CREATE INDEX sitesByName ON sites (name, id);

CREATE TABLE siteReceipts (
  siteId TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE, sequence INTEGER NOT NULL,
  receipt TEXT NOT NULL, who TEXT NOT NULL, receivedAt TEXT NOT NULL,
  PRIMARY KEY (siteId, sequence)
) STRICT;
`,
};
