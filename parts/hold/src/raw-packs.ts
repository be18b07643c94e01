import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Bug } from "@sampan/problem";
import type { PiecePlace } from "./hold-index.ts";

/**
 * Packs decoded once and kept at hand: a few in memory, more in files of the temp folder that have lost their names. A layer
 * is spread over many packs at a time; without these, every other piece would cost the decoding of a whole pack.
 */
export class RawPacks {
  readonly #decode: (pack: number) => Promise<Uint8Array>;
  readonly #openFile: () => Promise<FileHandle>;
  readonly #memory: Shelf<Uint8Array>;
  readonly #disk: Shelf<FileHandle>;
  readonly #loading = new Map<number, Promise<void>>();
  readonly #spilling = new Map<number, Promise<void>>();

  constructor(
    decode: (pack: number) => Promise<Uint8Array>,
    openFile: () => Promise<FileHandle>,
    options: { readonly memoryBytesMax: number; readonly diskBytesMax: number },
  ) {
    this.#decode = decode;
    this.#openFile = openFile;
    this.#memory = new Shelf(options.memoryBytesMax, () => undefined);
    this.#disk = new Shelf(options.diskBytesMax, (file) => {
      file.close().catch(() => undefined);
    });
  }

  /** The bytes of a piece if its pack is at hand: a view of the pack, or of `room` (256 KiB), filled. */
  piece(place: PiecePlace, room: Uint8Array): Uint8Array | undefined {
    const raw = this.#memory.get(place.pack);
    if (raw !== undefined) return raw.subarray(place.offset, place.offset + place.length);
    const file = this.#disk.get(place.pack);
    if (file === undefined) return undefined;
    const length = readSync(file.fd, room, 0, place.length, place.offset);
    if (length !== place.length) throw new Bug("a decoded pack is shorter than its pieces");
    return room.subarray(0, length);
  }

  has(pack: number): boolean {
    return this.#memory.has(pack) || this.#disk.has(pack);
  }

  /** Puts a pack at hand. Throws what decoding throws. */
  load(pack: number): Promise<void> {
    const underWay = this.#loading.get(pack) ?? (this.has(pack) ? undefined : this.#spilling.get(pack));
    if (underWay !== undefined) return underWay;
    if (this.has(pack)) return Promise.resolve();
    const loading = this.#decode(pack)
      .then((raw) => {
        this.#memory.put(pack, raw, raw.length);
        this.#spill(pack, raw);
      })
      .finally(() => this.#loading.delete(pack));
    this.#loading.set(pack, loading);
    return loading;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#loading.values(), ...this.#spilling.values()]);
    this.#memory.clear();
    this.#disk.clear();
  }

  /** Where it fails, the pack is only in memory: a full disk must not stop a reader. */
  #spill(pack: number, raw: Uint8Array): void {
    if (raw.length > this.#disk.bytesMax) return;
    const spilling = this.#writeFile(raw)
      .then((file) => this.#disk.put(pack, file, raw.length))
      .catch(() => undefined)
      .finally(() => this.#spilling.delete(pack));
    this.#spilling.set(pack, spilling);
  }

  async #writeFile(raw: Uint8Array): Promise<FileHandle> {
    const file = await this.#openFile();
    try {
      for (let at = 0; at < raw.length; ) at += (await file.write(raw, at)).bytesWritten;
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}

const FILES_MAX = 128;

/** What was used last, up to a number of bytes; at least one. */
class Shelf<T> {
  readonly bytesMax: number;
  readonly #letGo: (value: T) => void;
  readonly #values = new Map<number, { readonly value: T; readonly bytes: number }>();
  #bytes = 0;

  constructor(bytesMax: number, letGo: (value: T) => void) {
    this.bytesMax = bytesMax;
    this.#letGo = letGo;
  }

  has(key: number): boolean {
    return this.#values.has(key);
  }

  get(key: number): T | undefined {
    const entry = this.#values.get(key);
    if (entry === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, entry);
    return entry.value;
  }

  put(key: number, value: T, bytes: number): void {
    this.#remove(key);
    this.#values.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#values.keys()) {
      if ((this.#bytes <= this.bytesMax && this.#values.size <= FILES_MAX) || oldest === key) break;
      this.#remove(oldest);
    }
  }

  clear(): void {
    for (const key of [...this.#values.keys()]) this.#remove(key);
  }

  #remove(key: number): void {
    const entry = this.#values.get(key);
    if (entry === undefined) return;
    this.#values.delete(key);
    this.#bytes -= entry.bytes;
    this.#letGo(entry.value);
  }
}
