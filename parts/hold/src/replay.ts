import { type ByteRange, contentProblem, type Digest, digestFromHex } from "@sampan/content";
import type { HoldIndex, PiecePlace } from "./hold-index.ts";
import { idOf, type PackStore } from "./pack-store.ts";
import type { RawPacks } from "./raw-packs.ts";
import { type Part, RECIPE_LIMITS, type SegmentPlace } from "./recipe.ts";
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
  readonly takePiece: (bytes: Uint8Array, part: Part) => Uint8Array;
  readonly nextBuffer: () => Uint8Array;
}

async function* rebuild(
  { index, packs }: ReplayParts,
  recipe: RecipeSource,
  range: ByteRange,
  { takePiece, nextBuffer }: RebuildOptions,
): AsyncGenerator<Uint8Array> {
  const room = Buffer.allocUnsafe(RECIPE_LIMITS.pieceSizeMax);
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
        piece = takePiece(
          packs.raw.piece(place, room) ?? (await loadPiece({ index, packs }, order, place, room)),
          part.part,
        );
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

function locateAll(
  index: HoldIndex,
  parts: readonly PartWithin[],
): ((PiecePlace & { readonly id: Uint8Array }) | undefined)[] {
  return parts.map(({ part }) => {
    if (part.kind !== "piece") return undefined;
    const place = index.locate(part.id);
    if (place === undefined) throw contentProblem("CONTENT_ABSENT", "a piece of this layer is not held here");
    if (place.length !== part.length)
      throw contentProblem("CONTENT_INVALID", "the recipe tells another size of a piece than it has");
    return { ...place, id: part.id };
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
  { index, packs: { raw } }: ReplayParts,
  order: ReadonlyMap<number, number>,
  place: PiecePlace & { readonly id: Uint8Array },
  room: Uint8Array,
): Promise<Uint8Array> {
  try {
    return await loadNow(raw, order, place, room);
  } catch (error) {
    const again = index.locate(place.id);
    if (again === undefined || again.pack === place.pack) throw error;
    return loadNow(raw, order, again, room);
  }
}

/** Loads a pack, and begins with the next, so that the thread pool decodes while this thread copies. */
async function loadNow(
  raw: RawPacks,
  order: ReadonlyMap<number, number>,
  place: PiecePlace,
  room: Uint8Array,
): Promise<Uint8Array> {
  for (;;) {
    const loading = raw.load(place.pack);
    const next = order.get(place.pack);
    if (next !== undefined && !raw.has(next)) raw.load(next).catch(() => undefined);
    await loading;
    // Others may have needed the room meanwhile; then it is loaded once more.
    const piece = raw.piece(place, room);
    if (piece !== undefined) return piece;
  }
}

function anyPiece(bytes: Uint8Array): Uint8Array {
  return bytes;
}

function verifiedPiece(bytes: Uint8Array, part: Part): Uint8Array {
  if (part.kind !== "piece" || Buffer.compare(idOf(bytes), part.id) !== 0)
    throw contentProblem("CONTENT_DAMAGED", "a piece of this layer is not what it was", {
      hint: "run `sampan hold check` to see what is hit; importing the bundle again mends it",
    });
  return bytes;
}
