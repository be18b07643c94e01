/** Number in `PRAGMA user_version`. A hold of a higher number is refused. */
export const SCHEMA_VERSION = 1;

/**
 * The index. Digests are 32-byte BLOBs. A piece's number is the order in which it came, so sets of pieces are bit sets
 * and the rows of a pack lie together.
 */
export const SCHEMA = `
CREATE TABLE packs (
  pack INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('held', 'absorbed', 'damaged')),
  size INTEGER NOT NULL,
  raw_size INTEGER NOT NULL,
  pieces INTEGER NOT NULL,
  sequence BLOB NOT NULL,
  made TEXT,
  used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX packs_by_sequence ON packs (sequence);
CREATE TABLE pieces (
  piece INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  pack INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL
) STRICT;
CREATE TABLE layers (
  diff_id BLOB PRIMARY KEY,
  size INTEGER NOT NULL,
  recipe_size INTEGER NOT NULL,
  recipe_digest BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('held', 'damaged')),
  used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE blobs (
  digest BLOB PRIMARY KEY,
  size INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE images (
  image_id BLOB PRIMARY KEY,
  held TEXT NOT NULL,
  used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE named (
  name TEXT PRIMARY KEY,
  target TEXT NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = ${SCHEMA_VERSION};
`;
