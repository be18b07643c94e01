import { createHash } from "node:crypto";
import { contentProblem } from "@sampan/content";
import { DICTIONARY_LIMITS } from "./frame.ts";
import { idsOfSegment, type RecipeBase, type SegmentRange } from "./recipe.ts";
import type { DictionaryOf, RecipeSource } from "./recipe-file.ts";

/** A recipe of the base as a dictionary: one zero byte, then plain segments in a row (SPEC.md). */
export class RecipeDictionary {
  readonly #recipe: RecipeSource;
  /** The segment in which a piece occurs first, by the start of its id; of every sixteenth id only. */
  readonly #segmentOf = new Map<number, number>();
  readonly #sha256: Uint8Array;
  #last: { readonly range: SegmentRange; readonly bytes: Uint8Array } | undefined;

  private constructor(recipe: RecipeSource, sha256: Uint8Array, segmentOf: Map<number, number>) {
    this.#recipe = recipe;
    this.#sha256 = sha256;
    this.#segmentOf = segmentOf;
  }

  static async open(recipe: RecipeSource): Promise<RecipeDictionary> {
    const hasher = createHash("sha256");
    const segmentOf = new Map<number, number>();
    for (const [number, segment] of recipe.frame.segments.entries()) {
      const plain = await recipe.plain(segment);
      hasher.update(plain);
      for (const head of sampleIds(plain)) if (!segmentOf.has(head)) segmentOf.set(head, number);
    }
    return new RecipeDictionary(recipe, hasher.digest(), segmentOf);
  }

  get base(): RecipeBase {
    return { diffId: this.#recipe.frame.diffId, sha256: this.#sha256 };
  }

  /** The bytes of a dictionary. Throws CONTENT_INVALID before anything is read when there is no such range, or it is too large. */
  async bytes(range: SegmentRange): Promise<Uint8Array> {
    if (this.#last?.range.first === range.first && this.#last.range.count === range.count)
      return this.#last.bytes;
    const segments = this.#recipe.frame.segments.slice(range.first, range.first + range.count);
    const size = segments.reduce((sum, { plainBytes }) => sum + plainBytes, 1);
    if (segments.length !== range.count || size > DICTIONARY_LIMITS.sizeMax)
      throw contentProblem("CONTENT_INVALID", "the recipe asks for a dictionary that cannot be");
    const bytes = Buffer.alloc(size);
    let at = 1;
    for (const segment of segments) {
      bytes.set(await this.#recipe.plain(segment), at);
      at += segment.plainBytes;
    }
    this.#last = { range, bytes };
    return bytes;
  }

  /**
   * The segments that tell most of a segment of another layer: those in which its pieces are, and one on each side. `share` is how far into its layer it
   * is, for where no piece is known. At most `sizeMax` bytes.
   */
  rangeFor(
    plain: Uint8Array,
    { share, sizeMax }: { readonly share: number; readonly sizeMax: number },
  ): SegmentRange {
    const { segments } = this.#recipe.frame;
    const votes = new Array<number>(segments.length).fill(0);
    for (const head of sampleIds(plain)) {
      const segment = this.#segmentOf.get(head);
      if (segment !== undefined) votes[segment]! += 1;
    }
    const most = votes.reduce((a, b) => Math.max(a, b), 0);
    const centre =
      most === 0 ? Math.min(segments.length - 1, Math.floor(share * segments.length)) : votes.indexOf(most);
    let [first, end] = [centre, centre + 1];
    let size = 1 + (segments[centre]?.plainBytes ?? 0);
    const isWanted = (segment: number) =>
      segment >= 0 && segment < segments.length && size + segments[segment]!.plainBytes <= sizeMax;
    const isTelling = (segment: number) => (votes[segment] ?? 0) * 16 >= most && most > 0;
    const grow = (segment: number) => {
      size += segments[segment]!.plainBytes;
      [first, end] = [Math.min(first, segment), Math.max(end, segment + 1)];
    };
    while (isWanted(first - 1) && isTelling(first - 1)) grow(first - 1);
    while (isWanted(end) && isTelling(end)) grow(end);
    if (isWanted(first - 1)) grow(first - 1);
    if (isWanted(end)) grow(end);
    return { first, count: end - first };
  }
}

/** Opens a held recipe as the dictionary of one that came. Throws CONTENT_ABSENT when it is not the one that was meant. */
export async function openDictionary(recipe: RecipeSource, wanted: RecipeBase): Promise<DictionaryOf> {
  const dictionary = await RecipeDictionary.open(recipe);
  if (Buffer.compare(dictionary.base.sha256, wanted.sha256) !== 0)
    throw contentProblem("CONTENT_ABSENT", `layer ${wanted.diffId} is held here in another form`, {
      why: "the recipe that came is told by a recipe of it that was cut differently",
      hint: "ask for a full bundle",
    });
  return (range) => dictionary.bytes(range);
}

function* sampleIds(plain: Uint8Array): Generator<number> {
  const ids = idsOfSegment(plain);
  const view = new DataView(ids.buffer, ids.byteOffset, ids.byteLength);
  for (let at = 0; at < ids.length; at += 32) {
    const head = view.getUint32(at);
    if ((head & 15) === 0) yield head;
  }
}
