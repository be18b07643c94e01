import { rename, rm } from "node:fs/promises";
import type { Digest } from "@sampan/content";
import { EMPTY_CONFIG } from "./content-entries.ts";
import type { BundleVolume } from "./document.ts";
import { LIMIT } from "./limits.ts";
import { type BundlePart, WHOLE } from "./part.ts";
import { bundleProblem } from "./problems.ts";
import { blobName } from "./root.ts";
import { END_BYTES, entryBytes } from "./tar-entry.ts";
import { TarFile, writeFront, writing } from "./tar-file.ts";

/** A file that is whole, under its own name. */
export interface BundleFile {
  readonly path: string;
  readonly sizeBytes: number;
}

interface OpenPart {
  readonly part: BundlePart;
  readonly temporaryPath: string;
  readonly file: TarFile;
  entries: number;
  sizeBytes: number;
}

/**
 * The file, or the volumes, that a bundle's content goes into, one entry after the other. Until all are whole
 * and read back, they are `.part` files.
 */
export class BundleFiles {
  readonly #path: string;
  readonly #rootBytes: number;
  readonly #volumeSizeBytes: number | undefined;
  readonly #parts: OpenPart[] = [];
  readonly #written = new Set<Digest>([EMPTY_CONFIG.digest]);

  /** `path` is of the whole file; volumes have names made of it. */
  constructor(
    path: string,
    sizes: { readonly rootBytes: number; readonly volumeSizeBytes?: number | undefined },
  ) {
    this.#path = path;
    this.#rootBytes = sizes.rootBytes;
    this.#volumeSizeBytes = sizes.volumeSizeBytes;
  }

  get temporaryPaths(): readonly string[] {
    return this.#parts.map((part) => part.temporaryPath);
  }

  get parts(): readonly BundlePart[] {
    return this.#parts.map(({ part }) => part);
  }

  /** Absent when the bundle is to be one file. */
  get volumes(): readonly BundleVolume[] | undefined {
    if (this.#volumeSizeBytes === undefined) return undefined;
    return this.#parts.map(({ entries, sizeBytes }) => ({ entries, size: sizeBytes }));
  }

  /** Writes each digest once. Throws BUNDLE_TOO_LARGE, BUNDLE_NO_SPACE, BUNDLE_UNWRITABLE. */
  async write(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (this.#written.has(digest)) return;
    this.#written.add(digest);
    const part = await this.#partFor(digest, entryBytes(bytes.length));
    await part.file.append(blobName(digest), bytes);
    part.entries++;
    part.sizeBytes += entryBytes(bytes.length);
  }

  /** Puts the roots, one for each part, in front of what was written. */
  async finish(roots: readonly Uint8Array[]): Promise<void> {
    await this.#parts.at(-1)?.file.end();
    for (const [index, part] of this.#parts.entries()) await writeFront(part.temporaryPath, roots[index]!);
  }

  /** When nothing is to be written, there is still a file. */
  async begin(): Promise<void> {
    if (this.#parts.length === 0) await this.#open();
  }

  async close(): Promise<void> {
    for (const { file } of this.#parts) await file.close();
  }

  /** Gives the files their names. */
  async publish(): Promise<BundleFile[]> {
    const files: BundleFile[] = [];
    for (const { part, temporaryPath, sizeBytes } of this.#parts) {
      const path =
        part.kind === "volume" ? volumePath(this.#path, part.number, this.#parts.length) : this.#path;
      await writing(temporaryPath, () => rename(temporaryPath, path));
      files.push({ path, sizeBytes });
    }
    return files;
  }

  /** Removes what has no name yet. */
  async discard(): Promise<void> {
    for (const path of this.temporaryPaths) await rm(path, { force: true }).catch(() => undefined);
  }

  async #partFor(digest: Digest, bytes: number): Promise<OpenPart> {
    const last = this.#parts.at(-1);
    const sizeBytesMax = this.#volumeSizeBytes;
    if (last !== undefined && (sizeBytesMax === undefined || last.sizeBytes + bytes <= sizeBytesMax))
      return last;
    await last?.file.end();
    const next = await this.#open();
    if (sizeBytesMax !== undefined && next.sizeBytes + bytes > sizeBytesMax)
      throw bundleProblem("BUNDLE_TOO_LARGE", `${digest} does not fit into a volume`, {
        why: `with the root it needs ${next.sizeBytes + bytes} bytes, and a volume has ${sizeBytesMax}`,
        hint: "take larger volumes",
      });
    return next;
  }

  async #open(): Promise<OpenPart> {
    const number = this.#parts.length + 1;
    const inVolumes = this.#volumeSizeBytes !== undefined;
    if (number > LIMIT.volumes)
      throw bundleProblem("BUNDLE_TOO_LARGE", `the bundle does not fit into ${LIMIT.volumes} volumes`, {
        why: `a volume has ${this.#volumeSizeBytes} bytes`,
        hint: "take larger volumes",
      });
    const temporaryPath = `${inVolumes ? volumePath(this.#path, number, 1) : this.#path}.part`;
    const file = await TarFile.create(temporaryPath, this.#rootBytes);
    const opened: OpenPart = {
      part: inVolumes ? { kind: "volume", number } : WHOLE,
      temporaryPath,
      file,
      entries: 0,
      sizeBytes: this.#rootBytes + END_BYTES,
    };
    this.#parts.push(opened);
    return opened;
  }
}

/** `shop.sampan` gives `shop.vol01.sampan`: as many digits as the last volume needs, two at least. */
export function volumePath(path: string, number: number, volumes: number): string {
  const stem = path.endsWith(".sampan") ? path.slice(0, -".sampan".length) : path;
  const digits = Math.max(2, String(volumes).length);
  return `${stem}.vol${String(number).padStart(digits, "0")}.sampan`;
}
