import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  constants,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from "node:fs/promises";
import { basename, join, sep } from "node:path";
import type { ByteRange, Bytes, OnProgress } from "@sampan/content";
import { deliveryProblem } from "./problems.ts";

/** A bundle file that lies at this site. The folder `<id>/` holds `file.json` and the content under its own name. */
export interface BundleFile {
  readonly id: string;
  readonly name: string;
  readonly origin: "exported" | "uploaded";
  readonly state: "writing" | "uploading" | "whole";
  /** Announced for an upload; final once whole. */
  readonly sizeBytes: number;
  readonly receivedBytes: number;
  readonly sha256?: string;
  readonly teamId?: string;
  readonly createdAt: string;
}

type Kept = Omit<BundleFile, "receivedBytes">;

/** File systems allow 255 bytes; `.part` needs room too. */
const NAME_BYTES_MAX = 200;
/** What the folder keeps for itself. */
const OWN_NAMES = new Set(["", ".", "..", "file.json", "file.json.part"]);

/** Bundle files on disk: exports to be fetched, uploads that arrive in parts and go on after a break. */
export class BundleFiles {
  readonly #folder: string;
  readonly #importFrom: readonly string[];
  readonly #now: () => string;
  /** By upload: who may write now. A sender that comes back takes over from its own broken connection. */
  readonly #writers = new Map<string, symbol>();

  constructor(options: {
    readonly folder: string;
    readonly importFrom: readonly string[];
    readonly now: () => string;
  }) {
    this.#folder = options.folder;
    this.#importFrom = options.importFrom;
    this.#now = options.now;
  }

  async list(): Promise<readonly BundleFile[]> {
    await mkdir(this.#folder, { recursive: true });
    const found = await Promise.all((await readdir(this.#folder)).map((id) => this.find(id)));
    return found
      .filter((file) => file !== undefined)
      .toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  }

  async find(id: string): Promise<BundleFile | undefined> {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) return undefined;
    const kept = await readFile(join(this.#folder, id, "file.json"), "utf8").then(parseKept, () => undefined);
    if (kept === undefined) return undefined;
    const arrived = await sizeOf(this.#receivedPath(kept));
    if (arrived !== undefined || kept.state !== "uploading") return { ...kept, receivedBytes: arrived ?? 0 };
    // It had arrived whole when the server was stopped, and that was not written down any more.
    const whole = (await sizeOf(this.contentPath(id, kept.name))) === kept.sizeBytes;
    return { ...kept, ...(whole ? { state: "whole" } : {}), receivedBytes: whole ? kept.sizeBytes : 0 };
  }

  /** Throws BUNDLE_FILE_ABSENT. */
  async get(id: string): Promise<BundleFile> {
    const file = await this.find(id);
    if (file === undefined)
      throw deliveryProblem("BUNDLE_FILE_ABSENT", `there is no bundle file ${id}`, {
        hint: "sampan bundle list",
      });
    return file;
  }

  contentPath(id: string, name: string): string {
    return join(this.#folder, id, name);
  }

  /** A place for an export; begun again, it is the same place, emptied. */
  async beginExport(wish: {
    readonly id: string;
    readonly name: string;
    readonly teamId?: string;
  }): Promise<BundleFile> {
    await this.removeExport(wish.id);
    return await this.#begin({ ...wish, origin: "exported", state: "writing", sizeBytes: 0 });
  }

  async beginUpload(wish: {
    readonly id: string;
    readonly name: string;
    readonly sizeBytes: number;
    readonly teamId?: string;
  }): Promise<BundleFile> {
    const { bavail, bsize } = await statfs(await this.#made());
    const free = bavail * bsize;
    if (free < wish.sizeBytes) {
      throw deliveryProblem("DISK_FULL", "the bundle does not fit on this site's disk", {
        why: `it has ${wish.sizeBytes} bytes, and ${free} are free`,
        hint: "free some, or import it from the stick with --on-server",
      });
    }
    return await this.#begin({ ...wish, origin: "uploaded", state: "uploading" });
  }

  async #begin(wish: Omit<Kept, "createdAt">): Promise<BundleFile> {
    const name = cutToBytes(wish.name.replaceAll(/[/\\\p{Cc}]/gu, "-"), NAME_BYTES_MAX);
    if (OWN_NAMES.has(name)) {
      throw deliveryProblem("BUNDLE_FILE_ABSENT", "the name cannot be used for a bundle file", {
        hint: "give it a name such as shop-2.9.sampan",
      });
    }
    const kept: Kept = { ...wish, name, createdAt: this.#now() };
    await mkdir(join(this.#folder, kept.id), { recursive: true });
    await this.#keep(kept);
    return { ...kept, receivedBytes: 0 };
  }

  /** Adds bytes that begin at `offset`. What arrived stays when the sender breaks off. Throws UPLOAD_OUT_OF_STEP, DISK_FULL. */
  async append(id: string, offset: number, source: Bytes): Promise<BundleFile> {
    const writer = Symbol(id);
    this.#writers.set(id, writer);
    try {
      const file = await this.get(id);
      if (file.state !== "uploading" || offset !== file.receivedBytes) {
        throw deliveryProblem("UPLOAD_OUT_OF_STEP", "the part does not continue the upload", {
          why: `${file.receivedBytes} of ${file.sizeBytes} bytes have arrived; the part begins at ${offset}`,
          hint: `send from ${file.receivedBytes}`,
        });
      }
      await this.#receive(file, source, () => this.#writers.get(id) === writer);
      const now = await this.get(id);
      return now.receivedBytes === now.sizeBytes ? await this.#finishUpload(now) : now;
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "ENOSPC" ? diskFull(error) : error;
    } finally {
      if (this.#writers.get(id) === writer) this.#writers.delete(id);
    }
  }

  async #receive(file: BundleFile, source: Bytes, mayWrite: () => boolean): Promise<void> {
    const handle = await open(this.#receivedPath(file), constants.O_WRONLY | constants.O_CREAT);
    try {
      let at = file.receivedBytes;
      for await (const chunk of source) {
        if (!mayWrite())
          throw deliveryProblem("UPLOAD_OUT_OF_STEP", "the upload goes on over another connection");
        if (at + chunk.byteLength > file.sizeBytes)
          throw deliveryProblem("UPLOAD_OUT_OF_STEP", "more bytes arrive than were announced", {
            why: `the upload was announced with ${file.sizeBytes} bytes`,
            hint: "announce it again with the right size",
          });
        for (let done = 0; done < chunk.byteLength; ) {
          const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, at);
          done += bytesWritten;
          at += bytesWritten;
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #finishUpload(file: BundleFile): Promise<BundleFile> {
    await rename(this.#receivedPath(file), this.contentPath(file.id, file.name));
    const { receivedBytes, ...kept } = file;
    await this.#keep({ ...kept, state: "whole" });
    return { ...kept, state: "whole", receivedBytes };
  }

  /** An export is written: its size and checksum become known. */
  async seal(
    id: string,
    options: { readonly signal: AbortSignal; readonly onProgress: OnProgress },
  ): Promise<BundleFile> {
    const { receivedBytes: _, ...file } = await this.get(id);
    const path = this.contentPath(id, file.name);
    const { size } = await stat(path);
    const hash = createHash("sha256");
    let done = 0;
    for await (const chunk of createReadStream(path, {
      highWaterMark: 1 << 20,
    }) as AsyncIterable<Buffer>) {
      options.signal.throwIfAborted();
      hash.update(chunk);
      done += chunk.byteLength;
      options.onProgress({ stage: "checksum", done, total: size });
    }
    const kept: Kept = { ...file, state: "whole", sizeBytes: size, sha256: hash.digest("hex") };
    await this.#keep(kept);
    return { ...kept, receivedBytes: size };
  }

  /**
   * An export in volumes is written, all beside each other in the place of `id`: each becomes a file of its own. The first stays
   * under `id`; the others are `id-v02` and so on.
   */
  async sealVolumes(
    id: string,
    paths: readonly string[],
    options: { readonly signal: AbortSignal; readonly onProgress: OnProgress },
  ): Promise<readonly BundleFile[]> {
    const { receivedBytes: _, ...first } = await this.get(id);
    const sealed: BundleFile[] = [];
    for (const [index, path] of paths.entries()) {
      const volume: Kept = { ...first, id: volumeId(id, index + 1), name: basename(path) };
      if (index > 0) await mkdir(join(this.#folder, volume.id), { recursive: true });
      await this.#keep(volume);
      if (index > 0) await rename(path, this.contentPath(volume.id, volume.name));
      sealed.push(await this.seal(volume.id, options));
    }
    return sealed;
  }

  /** All files of an export, whole or not. */
  async removeExport(id: string): Promise<void> {
    await this.#made();
    const own = (await readdir(this.#folder)).filter((one) => one === id || isVolumeOf(one, id));
    for (const one of own) await rm(join(this.#folder, one), { recursive: true, force: true });
  }

  read(file: BundleFile, range: ByteRange): Bytes {
    return createReadStream(this.contentPath(file.id, file.name), {
      start: range.start,
      end: range.end - 1,
    }) as AsyncIterable<Buffer>;
  }

  async remove(id: string): Promise<void> {
    await this.get(id);
    await rm(join(this.#folder, id), { recursive: true, force: true });
  }

  /** The path of a whole file by id; or a path of the server, when it is within a directory that the site allows (links followed). */
  async locate(source: { readonly fileId?: string; readonly path?: string }): Promise<string> {
    if (source.fileId !== undefined) {
      const file = await this.get(source.fileId);
      if (file.state !== "whole")
        throw deliveryProblem("BUNDLE_FILE_ABSENT", `${file.name} has not arrived whole`, {
          why: `${file.receivedBytes} of ${file.sizeBytes} bytes are here`,
          hint: "go on with the upload",
        });
      return this.contentPath(file.id, file.name);
    }
    const wanted = source.path ?? "";
    const real = await realpath(wanted).catch(() => undefined);
    const roots = await Promise.all(this.#importFrom.map((root) => realpath(root).catch(() => undefined)));
    const isWithin = roots.some((root) => root !== undefined && real?.startsWith(root + sep));
    const isFile = isWithin && real !== undefined && (await stat(real).catch(() => undefined))?.isFile();
    if (real === undefined || isFile !== true) {
      // The same words whatever is there: nobody learns from them what else the machine has.
      throw deliveryProblem("BUNDLE_FILE_ABSENT", `${wanted} cannot be imported from`, {
        why: `there is no such file in what the site allows: ${this.#importFrom.join(", ") || "no directory"}`,
        hint: "upload the file, or add its directory to SAMPAN_IMPORT_FROM",
      });
    }
    return real;
  }

  /** Removes uploads and exports that were never finished and began before the time; gives how many. */
  async removeStale(beganBefore: string): Promise<number> {
    const stale = (await this.list()).filter(
      (file) => file.state !== "whole" && file.createdAt < beganBefore,
    );
    for (const file of stale) if (!this.#writers.has(file.id)) await this.remove(file.id);
    return stale.length;
  }

  async #made(): Promise<string> {
    await mkdir(this.#folder, { recursive: true });
    return this.#folder;
  }

  #receivedPath(file: Pick<BundleFile, "id" | "name" | "state" | "origin">): string {
    const path = this.contentPath(file.id, file.name);
    return file.state === "whole" ? path : `${path}.part`;
  }

  async #keep(kept: Kept): Promise<void> {
    const path = join(this.#folder, kept.id, "file.json");
    await writeFile(`${path}.part`, JSON.stringify(kept), { flush: true });
    await rename(`${path}.part`, path);
  }
}

function volumeId(id: string, number: number): string {
  return number === 1 ? id : `${id}-v${String(number).padStart(2, "0")}`;
}

function isVolumeOf(name: string, id: string): boolean {
  return name.startsWith(`${id}-v`) && /^\d{2,4}$/.test(name.slice(id.length + 2));
}

/** A file that was torn by a power cut is as none. */
function parseKept(text: string): Kept | undefined {
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    (one) => one.size,
    () => undefined,
  );
}

/** As many characters from the beginning as fit into so many bytes of UTF-8. */
export function cutToBytes(text: string, bytesMax: number): string {
  let cut = "";
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > bytesMax) break;
    cut += character;
  }
  return cut;
}

function diskFull(cause: unknown) {
  return deliveryProblem("DISK_FULL", "the site's disk is full", {
    why: "what has arrived so far is kept",
    hint: "free some, and go on with the upload",
    cause,
  });
}
