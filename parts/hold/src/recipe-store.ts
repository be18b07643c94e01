import { open } from "node:fs/promises";
import { contentProblem, type Digest } from "@sampan/content";
import { type HoldFiles, readExactly } from "./hold-files.ts";
import { openRecipe, type RecipeSource } from "./recipe-file.ts";

export type HeldRecipe = RecipeSource & { close(): Promise<void> };

/** The recipe of a held layer; the caller closes it. Throws CONTENT_DAMAGED, here or from its methods, when it does not verify. */
export async function openHeldRecipe(files: HoldFiles, diffId: Digest): Promise<HeldRecipe> {
  const damaged = (cause: unknown) => {
    throw contentProblem("CONTENT_DAMAGED", `the recipe of layer ${diffId} is damaged`, {
      hint: "run `sampan hold check`; importing the bundle again mends it",
      cause,
    });
  };
  const handle = await open(files.path("recipes", diffId), "r").catch(damaged);
  try {
    const { size } = await handle.stat();
    const recipe = await openRecipe((at, length) => readExactly(handle, at, length), size);
    if (recipe.frame.diffId !== diffId) throw contentProblem("CONTENT_INVALID", "it is of another layer");
    return {
      frame: recipe.frame,
      plain: (segment) => recipe.plain(segment).catch(damaged),
      parts: (segment) => recipe.parts(segment).catch(damaged),
      close: () => handle.close(),
    };
  } catch (cause) {
    await handle.close();
    return damaged(cause);
  }
}
