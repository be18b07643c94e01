import { type ByteRange, contentProblem, type Digest, digestFromHex } from "@sampan/content";
import type { HoldIndex, PiecePlace } from "./hold-index.ts";
import { idOf, type PackStore } from "./pack-store.ts";
import type { Part, SegmentPlace } from "./recipe.ts";
import type { RecipeSource } from "./recipe-file.ts";

const OUT_SIZE = 256 * 1024;

export interface ReplayParts {
  readonly index: HoldIndex;
  readonly packs: PackStore;
}

/** Rebuilds the bytes of a layer in `range`, in chunks that the caller may keep. Every piece is verified before it is used. */
export function replay(
  deps: ReplayParts,
  recipe: RecipeSource,
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  return rebuild(deps, recipe, range, {
    takePiece: verifiedPiece,
    nextBuffer: () => Buffer.allocUnsafe(OUT_SIZE),
  });
}

interface RebuildOptions {
  readonly takePiece: (raw: Uint8Array, place: PiecePlace, part: Part) => Uint8Array;
  readonly nextBuffer: () => Uint8Array;
}

async function* rebuild(
  { index, packs }: ReplayParts,
  recipe: RecipeSource,
  range: ByteRange,
  { takePiece, nextBuffer }: RebuildOptions,
): AsyncGenerator<Uint8Array> {
  let out = nextBuffer();
  let filled = 0;
  for (const segment of recipe.frame.segments) {
    if (segment.layerStart + segment.layerBytes <= range.start) continue;
    if (segment.layerStart >= range.end) break;
    const parts = within(await recipe.parts(segment), segment, range);
    const places = locateAll(index, parts);
    const order = packOrder(places);
    for (const [number, part] of parts.entries()) {
      let piece: Uint8Array | undefined;
      const place = places[number];
      if (place !== undefined) {
        const ready = packs.peek(place.pack);
        piece =
          ready !== undefined
            ? takePiece(ready, place, part.part)
            : await loadPiece({ index, packs }, order, place, part.part, takePiece);
      }
      for (let at = part.from; at < part.to; ) {
        const length = Math.min(part.to - at, OUT_SIZE - filled);
        if (piece !== undefined) out.set(piece.subarray(at, at + length), filled);
        else if (part.part.kind === "bytes") out.set(part.part.bytes.subarray(at, at + length), filled);
        else out.fill(0, filled, filled + length);
        filled += length;
        at += length;
        if (filled === OUT_SIZE) {
          yield out;
          out = nextBuffer();
          filled = 0;
        }
      }
    }
  }
  if (filled > 0) yield out.subarray(0, filled);
}

/** The digest of what a recipe makes. Pieces are not verified one by one: the digest of the whole tells as much. */
export async function replayDigest(
  deps: ReplayParts,
  recipe: RecipeSource,
  options: { readonly hasher: { update(bytes: Uint8Array): unknown; digest(form: "hex"): string } } & {
    readonly signal?: AbortSignal | undefined;
    readonly onBytes?: (length: number) => void;
  },
): Promise<Digest> {
  const buffer = Buffer.allocUnsafe(OUT_SIZE);
  const whole = { start: 0, end: recipe.frame.layerSize };
  const how = { takePiece: anyPiece, nextBuffer: () => buffer };
  for await (const chunk of rebuild(deps, recipe, whole, how)) {
    options.signal?.throwIfAborted();
    options.hasher.update(chunk);
    options.onBytes?.(chunk.length);
  }
  return digestFromHex(options.hasher.digest("hex"));
}

interface PartWithin {
  readonly part: Part;
  readonly from: number;
  readonly to: number;
}

function within(parts: readonly Part[], segment: SegmentPlace, range: ByteRange): PartWithin[] {
  const result: PartWithin[] = [];
  let at = segment.layerStart;
  for (const part of parts) {
    const length = part.kind === "bytes" ? part.bytes.length : part.length;
    const from = Math.max(0, range.start - at);
    const to = Math.min(length, range.end - at);
    if (from < to) result.push({ part, from, to });
    at += length;
  }
  return result;
}

function locateAll(index: HoldIndex, parts: readonly PartWithin[]): (PiecePlace | undefined)[] {
  return parts.map(({ part }) => {
    if (part.kind !== "piece") return undefined;
    const place = index.locate(part.id);
    if (place === undefined) throw contentProblem("CONTENT_ABSENT", "a piece of this layer is not held here");
    if (place.length !== part.length)
      throw contentProblem("CONTENT_INVALID", "the recipe tells another size of a piece than it has");
    return place;
  });
}

/** Packs in the order in which they are needed, each with the one that is needed next. */
function packOrder(places: readonly (PiecePlace | undefined)[]): Map<number, number> {
  const next = new Map<number, number>();
  let before: number | undefined;
  for (const place of places) {
    if (place === undefined || place.pack === before) continue;
    if (before !== undefined && !next.has(before)) next.set(before, place.pack);
    before = place.pack;
  }
  return next;
}

/** Where a pack was written anew since the piece was located, the piece is located once more. */
async function loadPiece(
  { index, packs }: ReplayParts,
  order: ReadonlyMap<number, number>,
  place: PiecePlace,
  part: Part,
  takePiece: RebuildOptions["takePiece"],
): Promise<Uint8Array> {
  try {
    return takePiece(await loadPack(packs, order, place.pack), place, part);
  } catch (error) {
    const again = part.kind === "piece" ? index.locate(part.id) : undefined;
    if (again === undefined || again.pack === place.pack) throw error;
    return takePiece(await packs.raw(again.pack), again, part);
  }
}

/** Loads a pack, and begins with the next, so that the thread pool decodes while this thread copies. */
async function loadPack(
  packs: PackStore,
  order: ReadonlyMap<number, number>,
  pack: number,
): Promise<Uint8Array> {
  const loading = packs.raw(pack);
  const next = order.get(pack);
  if (next !== undefined && packs.peek(next) === undefined) packs.raw(next).catch(() => undefined);
  return loading;
}

function anyPiece(raw: Uint8Array, place: PiecePlace): Uint8Array {
  return raw.subarray(place.offset, place.offset + place.length);
}

function verifiedPiece(raw: Uint8Array, place: PiecePlace, part: Part): Uint8Array {
  const bytes = anyPiece(raw, place);
  if (part.kind !== "piece" || Buffer.compare(idOf(bytes), part.id) !== 0)
    throw contentProblem("CONTENT_DAMAGED", "a piece of this layer is not what it was", {
      hint: "run `sampan hold check` to see what is hit; importing the bundle again mends it",
    });
  return bytes;
}
