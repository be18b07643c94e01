import type { Desired } from "@sampan/plan";
import type { Parts } from "./parts.ts";

/**
 * What an app should be at a generation; undefined when that was never planned. It is found by its number: the clock of a site may
 * have been set back since, so the plan with the latest time need not be the last one.
 */
export async function desiredOf(
  parts: Pick<Parts, "store">,
  app: { readonly id: string; readonly generation: number },
): Promise<Desired | undefined> {
  let page = await parts.store.plans.list(app.id, { limit: 1 });
  for (;;) {
    const found = page.items.find((plan) => plan.generation === app.generation);
    if (found !== undefined) return await parts.store.plans.desired(found.id);
    if (page.next === undefined) return undefined;
    page = await parts.store.plans.list(app.id, { limit: 50, after: page.next });
  }
}
