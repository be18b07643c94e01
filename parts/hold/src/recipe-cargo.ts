import type { CargoBase, Digest, RecipeFile } from "@sampan/content";
import { sketchCommonLayers, sketchLayer } from "./base-view.ts";
import { compressAgainst, compressFrame, dictionaryReach } from "./frame.ts";
import { digestOf } from "./hold-files.ts";
import type { HoldParts } from "./layer-intake.ts";
import { mostAlike } from "./layer-sketch.ts";
import { openLayer } from "./needed-layer.ts";
import type { RecipeBase } from "./recipe.ts";
import { RecipeDictionary } from "./recipe-dictionary.ts";
import { RECIPE_LEVEL, RecipeFileWriter, type RecipeSource } from "./recipe-file.ts";
import { openHeldRecipe } from "./recipe-store.ts";

/** The recipe of each layer, coded anew: how it came into the hold must not show. */
export async function* exportRecipes(
  hold: HoldParts,
  diffIds: readonly Digest[],
  base: CargoBase,
): AsyncGenerator<RecipeFile> {
  const candidates = await sketchCommonLayers(hold, base);
  for (const diffId of new Set(diffIds)) {
    const recipe = await openLayer(hold, diffId);
    const sketch = candidates.length === 0 ? undefined : await sketchLayer(hold, diffId);
    const pair = sketch === undefined ? undefined : mostAlike(sketch, candidates);
    const told = pair === undefined ? undefined : await openHeldRecipe(hold.files, pair.diffId);
    try {
      const dictionary = told === undefined ? undefined : await RecipeDictionary.open(told);
      const bytes = await codeRecipe(recipe, dictionary);
      yield { diffId, digest: digestOf(bytes), bytes };
    } finally {
      await told?.close();
      await recipe.close();
    }
  }
}

/** Plainly, or told by another where that is shorter; segments that it does not help stay as they are. */
async function codeRecipe(
  recipe: RecipeSource,
  dictionary: RecipeDictionary | undefined,
): Promise<Uint8Array> {
  const plainly = await GatheredRecipe.begin();
  const against = dictionary === undefined ? undefined : await GatheredRecipe.begin(dictionary.base);
  const { diffId, segments } = recipe.frame;
  for (const [number, { layerBytes, ...place }] of segments.entries()) {
    const segment = { plain: await recipe.plain({ layerBytes, ...place }), layerBytes };
    const alone = { stored: await compressFrame(segment.plain, RECIPE_LEVEL) };
    await plainly.writer.addCoded(segment, alone);
    if (dictionary === undefined || against === undefined) continue;
    const share = number / segments.length;
    const range = dictionary.rangeFor(segment.plain, { share, sizeMax: dictionaryReach(RECIPE_LEVEL) });
    const stored = await compressAgainst(await dictionary.bytes(range), segment.plain, RECIPE_LEVEL);
    const told = { stored, against: range };
    await against.writer.addCoded(segment, stored.length < alone.stored.length ? told : alone);
  }
  const bytes = await plainly.finish(diffId);
  const toldBytes = await against?.finish(diffId);
  return toldBytes !== undefined && toldBytes.length < bytes.length ? toldBytes : bytes;
}

class GatheredRecipe {
  readonly writer: RecipeFileWriter;
  readonly #chunks: Uint8Array[];

  private constructor(writer: RecipeFileWriter, chunks: Uint8Array[]) {
    this.writer = writer;
    this.#chunks = chunks;
  }

  static async begin(base?: RecipeBase): Promise<GatheredRecipe> {
    const chunks: Uint8Array[] = [];
    return new GatheredRecipe(
      await RecipeFileWriter.begin(async (bytes) => void chunks.push(bytes), base),
      chunks,
    );
  }

  async finish(diffId: Digest): Promise<Uint8Array> {
    await this.writer.finish(diffId);
    return Buffer.concat(this.#chunks);
  }
}

/** Unfolds a recipe that is told by another into one that stands on its own. Throws CONTENT_INVALID. */
export async function transcribe(
  recipe: RecipeSource,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const writer = await RecipeFileWriter.begin(write);
  for (const segment of recipe.frame.segments)
    await writer.add({ plain: await recipe.plain(segment), layerBytes: segment.layerBytes });
  await writer.finish(recipe.frame.diffId);
}
