import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { type Digest, digestFromHex, digestHex, type HeldImage } from "@sampan/content";
import { Bug } from "@sampan/problem";
import { SCHEMA, SCHEMA_VERSION } from "./hold-schema.ts";
import { holdProblem } from "./problems.ts";

/** Where a piece lies: its number, its pack's number, and the bytes in the raw pack. */
export interface PiecePlace {
  readonly piece: number;
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
}

export type PackState = "held" | "absorbed" | "damaged";

export interface PackRow {
  readonly pack: number;
  readonly digest: Digest;
  /** `absorbed`: every piece of it was held already, so no file is kept. */
  readonly state: PackState;
  readonly size: number;
  readonly rawSize: number;
  readonly pieces: number;
  readonly usedAt: number;
}

export interface NewPack {
  readonly digest: Digest;
  readonly size: number;
  readonly rawSize: number;
  readonly sequence: Uint8Array;
  /** How it was made, if it was made here: packs of one sequence that were made alike are alike. */
  readonly made?: string;
  readonly ids: readonly Uint8Array[];
  readonly lengths: readonly number[];
}

export interface LayerRow {
  readonly diffId: Digest;
  readonly size: number;
  readonly recipeSize: number;
  readonly recipeDigest: Digest;
  readonly state: "held" | "damaged";
  readonly usedAt: number;
}

type Row = Readonly<Record<string, unknown>>;

/** The index of a hold: one SQLite file that one process has open at a time. All calls are synchronous and short. */
export class HoldIndex {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #locate: StatementSync;

  /** Throws HOLD_BUSY when another process has it open, HOLD_FORMAT when it is from a newer version. */
  constructor(path: string, options: { readonly busyTimeoutMs: number }) {
    this.#db = new DatabaseSync(path, { timeout: options.busyTimeoutMs });
    try {
      this.#prepare(path);
    } catch (error) {
      this.#db.close();
      throw error;
    }
    this.#locate = this.#db.prepare("SELECT piece, pack, offset, length FROM pieces WHERE id = ?");
  }

  #prepare(path: string): void {
    try {
      // The system releases this lock when the process dies, however it dies: no lock of a dead process is left.
      this.#db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      this.#db.exec("PRAGMA cache_size = -16384; BEGIN EXCLUSIVE; COMMIT");
    } catch (cause) {
      if (!/lock|busy/i.test(String(cause))) throw cause;
      throw holdProblem("HOLD_BUSY", "another process has this hold open", {
        why: path,
        hint: "stop the other process first",
        cause,
      });
    }
    const version = Number(this.#db.prepare("PRAGMA user_version").get()?.user_version);
    if (version > SCHEMA_VERSION)
      throw holdProblem("HOLD_FORMAT", "this hold was written by a newer version", {
        why: `its index is of version ${version}, and this version reads up to ${SCHEMA_VERSION}`,
      });
    if (version === 0) this.transaction(() => this.#db.exec(SCHEMA));
  }

  close(): void {
    this.#db.close();
  }

  /** All or nothing, and durable when it returns. */
  transaction<T>(act: () => T): T {
    if (this.#db.isTransaction) throw new Bug("transactions of the index do not nest");
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = act();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  locate(id: Uint8Array): PiecePlace | undefined {
    return this.#locate.get(id) as unknown as PiecePlace | undefined;
  }

  /** A piece by its number. */
  place(piece: number): (PiecePlace & { readonly id: Uint8Array }) | undefined {
    const sql = "SELECT id, piece, pack, offset, length FROM pieces WHERE piece = ?";
    return this.get(sql, piece) as unknown as (PiecePlace & { readonly id: Uint8Array }) | undefined;
  }

  /** A piece by the first bytes of its id. */
  locateByPrefix(idPrefix: Uint8Array): PiecePlace | undefined {
    const sql = "SELECT piece, pack, offset, length FROM pieces WHERE id BETWEEN ? AND ? LIMIT 1";
    const last = Buffer.alloc(32, 0xff);
    last.set(idPrefix);
    return this.get(sql, idPrefix, last) as unknown as PiecePlace | undefined;
  }

  pack(digest: Digest): PackRow | undefined {
    return packRow(this.get("SELECT * FROM packs WHERE digest = ?", toBlob(digest)));
  }

  packByNumber(pack: number): PackRow | undefined {
    return packRow(this.get("SELECT * FROM packs WHERE pack = ?", pack));
  }

  /** Packs by number after `after`, at most 1000. */
  packsAfter(after: number): PackRow[] {
    return this.all("SELECT * FROM packs WHERE pack > ? ORDER BY pack LIMIT 1000", after).map(
      (row) => packRow(row)!,
    );
  }

  /** A pack made here of exactly this sequence, in this way. */
  packOfSequence(sequence: Uint8Array, made: string): PackRow | undefined {
    return packRow(
      this.get("SELECT * FROM packs WHERE sequence = ? AND made = ? AND state = 'held'", sequence, made),
    );
  }

  damagedPacks(): ReadonlySet<number> {
    return new Set(this.all("SELECT pack FROM packs WHERE state = 'damaged'").map((row) => Number(row.pack)));
  }

  /** Adds a pack whose file is in place, with those pieces that no sound pack holds. Returns how many there were. */
  addPack(pack: NewPack, usedAt: number): number {
    const damaged = this.damagedPacks();
    this.run("DELETE FROM packs WHERE digest = ?", toBlob(pack.digest));
    const number = Number(
      this.#statement(
        "INSERT INTO packs (digest, state, size, raw_size, pieces, sequence, made, used_at) VALUES (?, 'held', ?, ?, ?, ?, ?, ?)",
      ).run(
        toBlob(pack.digest),
        pack.size,
        pack.rawSize,
        pack.ids.length,
        pack.sequence,
        pack.made ?? null,
        usedAt,
      ).lastInsertRowid,
    );
    const insert = this.#statement("INSERT INTO pieces (id, pack, offset, length) VALUES (?, ?, ?, ?)");
    let offset = 0;
    let added = 0;
    pack.ids.forEach((id, index) => {
      const length = pack.lengths[index]!;
      const place = this.locate(id);
      const lost = place !== undefined && (damaged.has(place.pack) || !this.#packExists(place.pack));
      if (lost) this.run("DELETE FROM pieces WHERE piece = ?", place.piece);
      if (place === undefined || lost) {
        insert.run(id, number, offset, length);
        added += 1;
      }
      offset += length;
    });
    return added;
  }

  #packExists(pack: number): boolean {
    return this.get("SELECT 1 FROM packs WHERE pack = ?", pack) !== undefined;
  }

  touchPacks(packs: Iterable<number>, usedAt: number): void {
    for (const pack of packs)
      this.run("UPDATE packs SET used_at = max(used_at, ?) WHERE pack = ?", usedAt, pack);
  }

  /** From now on its pieces count as not held, and come anew with the next bundle or capture that has them. */
  markPackDamaged(pack: number): void {
    this.transaction(() => {
      this.run("UPDATE packs SET state = 'damaged' WHERE pack = ?", pack);
      this.run("DELETE FROM packs WHERE state = 'absorbed'");
    });
  }

  markPackSound(pack: number): void {
    this.transaction(() => this.run("UPDATE packs SET state = 'held' WHERE pack = ?", pack));
  }

  absorbPack(pack: Omit<NewPack, "lengths" | "made">, usedAt: number): void {
    this.run("DELETE FROM packs WHERE digest = ?", toBlob(pack.digest));
    const sql =
      "INSERT INTO packs (digest, state, size, raw_size, pieces, sequence, used_at) VALUES (?, 'absorbed', ?, ?, ?, ?, ?)";
    this.run(sql, toBlob(pack.digest), pack.size, pack.rawSize, pack.ids.length, pack.sequence, usedAt);
  }

  layer(diffId: Digest): LayerRow | undefined {
    return layerRow(this.get("SELECT * FROM layers WHERE diff_id = ?", toBlob(diffId)));
  }

  layers(): LayerRow[] {
    return this.all("SELECT * FROM layers ORDER BY diff_id").map((row) => layerRow(row)!);
  }

  putLayer(layer: Omit<LayerRow, "state">): void {
    this.run(
      "INSERT OR REPLACE INTO layers (diff_id, size, recipe_size, recipe_digest, state, used_at) VALUES (?, ?, ?, ?, 'held', ?)",
      toBlob(layer.diffId),
      layer.size,
      layer.recipeSize,
      toBlob(layer.recipeDigest),
      layer.usedAt,
    );
  }

  touchLayer(diffId: Digest, usedAt: number): void {
    this.run("UPDATE layers SET used_at = max(used_at, ?) WHERE diff_id = ?", usedAt, toBlob(diffId));
  }

  setLayerState(diffId: Digest, state: LayerRow["state"]): void {
    this.run("UPDATE layers SET state = ? WHERE diff_id = ?", state, toBlob(diffId));
  }

  blob(digest: Digest): { readonly size: number } | undefined {
    const row = this.get("SELECT size FROM blobs WHERE digest = ?", toBlob(digest));
    return row === undefined ? undefined : { size: Number(row.size) };
  }

  putBlob(digest: Digest, size: number, usedAt: number): void {
    this.run(
      "INSERT OR REPLACE INTO blobs (digest, size, used_at) VALUES (?, ?, ?)",
      toBlob(digest),
      size,
      usedAt,
    );
  }

  image(imageId: Digest): HeldImage | undefined {
    const row = this.get("SELECT held FROM images WHERE image_id = ?", toBlob(imageId));
    return row === undefined ? undefined : (JSON.parse(String(row.held)) as HeldImage);
  }

  /** All images. Their number is in the thousands at most, so they are given at once. */
  images(): { readonly image: HeldImage; readonly usedAt: number }[] {
    return this.all("SELECT held, used_at FROM images ORDER BY image_id").map((row) => ({
      image: JSON.parse(String(row.held)) as HeldImage,
      usedAt: Number(row.used_at),
    }));
  }

  putImage(image: HeldImage, usedAt: number): void {
    this.run(
      "INSERT OR REPLACE INTO images (image_id, held, used_at) VALUES (?, ?, ?)",
      toBlob(image.imageId),
      JSON.stringify(image),
      usedAt,
    );
  }
}

export function toBlob(digest: Digest): Uint8Array {
  return Buffer.from(digestHex(digest), "hex");
}

export function fromBlob(value: unknown): Digest {
  if (!(value instanceof Uint8Array)) throw new Bug("a digest in the index is no BLOB");
  return digestFromHex(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex"));
}

function packRow(row: Row | undefined): PackRow | undefined {
  if (row === undefined) return undefined;
  return {
    pack: Number(row.pack),
    digest: fromBlob(row.digest),
    state: row.state as PackState,
    size: Number(row.size),
    rawSize: Number(row.raw_size),
    pieces: Number(row.pieces),
    usedAt: Number(row.used_at),
  };
}

function layerRow(row: Row | undefined): LayerRow | undefined {
  if (row === undefined) return undefined;
  return {
    diffId: fromBlob(row.diff_id),
    size: Number(row.size),
    recipeSize: Number(row.recipe_size),
    recipeDigest: fromBlob(row.recipe_digest),
    state: row.state as LayerRow["state"],
    usedAt: Number(row.used_at),
  };
}
