import type { Bytes } from "@sampan/content";
import { holdProblem } from "./problems.ts";
import { BLOCK, isZero, paddingOf, parseEntry, parsePax, paxSize, textOf } from "./tar-header.ts";

/** An entry of a tar stream. The body is read in place, before the next entry; what is left of it is skipped. */
export interface TarStreamEntry {
  readonly name: string;
  /** The type byte, as a character. */
  readonly type: string;
  readonly linkName: string;
  readonly size: number;
  readonly body: Bytes;
}

const EXTENSION_SIZE_MAX = 1024 * 1024;

/** Reads a tar stream entry by entry. Throws HOLD_SAVE_INVALID when it ends early or holds what is no header. */
export async function* readTar(stream: Bytes): AsyncGenerator<TarStreamEntry> {
  const source = new ByteSource(stream);
  try {
    yield* readEntries(source);
  } finally {
    await source.close();
  }
}

async function* readEntries(source: ByteSource): AsyncGenerator<TarStreamEntry> {
  let names: { path?: string; link?: string; size?: number | undefined } = {};
  for (;;) {
    const block = await source.exactly(BLOCK, { atEnd: "undefined" });
    if (block === undefined) throw truncated();
    if (isZero(block)) break;
    const entry = parseEntry(block);
    if (entry === undefined) throw holdProblem("HOLD_SAVE_INVALID", "the stream of images is no tar archive");
    if ("xgLK".includes(entry.type)) {
      names = { ...names, ...(await readExtension(source, entry)) };
      continue;
    }
    const size = entry.size === 0 ? 0 : (names.size ?? entry.size);
    const limited = source.body(size);
    yield {
      name: names.path ?? nameOf(block),
      type: entry.type,
      linkName: names.link ?? decode(textOf(block, 157, 100)),
      size,
      body: limited.bytes,
    };
    await limited.skip();
    await source.exactly(paddingOf(size));
    names = {};
  }
  await source.skipToEnd();
}

async function readExtension(
  source: ByteSource,
  entry: { readonly type: string; readonly size: number },
): Promise<{ path?: string; link?: string; size?: number | undefined }> {
  if (entry.size > EXTENSION_SIZE_MAX)
    throw holdProblem("HOLD_SAVE_INVALID", "the stream of images has a name that is too long");
  const body = (await source.exactly(entry.size))!.slice();
  await source.exactly(paddingOf(entry.size));
  if (entry.type === "L") return { path: decode(textOf(body, 0, body.length)) };
  if (entry.type === "K") return { link: decode(textOf(body, 0, body.length)) };
  if (entry.type === "g") return {};
  const records = parsePax(body);
  const path = records.get("path");
  const link = records.get("linkpath");
  return {
    ...(path === undefined ? {} : { path }),
    ...(link === undefined ? {} : { link }),
    size: paxSize(records),
  };
}

function nameOf(block: Uint8Array): string {
  const name = decode(textOf(block, 0, 100));
  const isPosix = block[257 + 5] === 0;
  const prefix = isPosix ? decode(textOf(block, 345, 155)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function truncated(): Error {
  return holdProblem("HOLD_SAVE_INVALID", "the stream of images ended early", {
    hint: "see why the engine stopped, and take the images again",
  });
}

/** Cuts a stream of chunks into what is asked for. Chunks are passed on, not copied. */
class ByteSource {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: Bytes) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** At least one byte, or undefined at the end. */
  async #some(): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#iterator.next();
      if (next.done === true) return undefined;
      this.#rest = next.value;
    }
    return this.#rest;
  }

  exactly(length: number): Promise<Uint8Array>;
  exactly(length: number, options: { readonly atEnd: "undefined" }): Promise<Uint8Array | undefined>;
  async exactly(length: number, options?: { readonly atEnd: "undefined" }): Promise<Uint8Array | undefined> {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const some = await this.#some();
      if (some === undefined) {
        if (at === 0 && options !== undefined) return undefined;
        throw truncated();
      }
      const taken = some.subarray(0, length - at);
      out.set(taken, at);
      at += taken.length;
      this.#rest = some.subarray(taken.length);
    }
    return out;
  }

  body(size: number): { readonly bytes: Bytes; readonly skip: () => Promise<void> } {
    let left = size;
    const next = async () => {
      if (left === 0) return undefined;
      const some = await this.#some();
      if (some === undefined) throw truncated();
      const taken = some.subarray(0, left);
      left -= taken.length;
      this.#rest = some.subarray(taken.length);
      return taken;
    };
    async function* read(): AsyncGenerator<Uint8Array> {
      for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
    }
    const skip = async () => {
      while ((await next()) !== undefined);
    };
    return { bytes: { [Symbol.asyncIterator]: read }, skip };
  }

  async skipToEnd(): Promise<void> {
    this.#rest = new Uint8Array(0);
    while ((await this.#some()) !== undefined) this.#rest = new Uint8Array(0);
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
