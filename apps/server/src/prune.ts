import type { Digest } from "@sampan/content";
import { desiredOf } from "@sampan/delivery";
import type { PruneInputs, PrunePlan } from "@sampan/hold";
import type { Desired } from "@sampan/plan";
import type { Page, PageRequest } from "@sampan/store";
import type { ServerParts } from "./handlers/server-parts.ts";

/** What was pushed or captured so lately may be about to be used. */
const KEEP_YOUNGER_THAN_MS = 3_600_000;

/** Images that run, or that a rollback may need: they stay even when their release left the library. */
export async function pruneInputs(parts: ServerParts): Promise<PruneInputs> {
  const { store } = parts;
  const protect = new Set<Digest>();
  for await (const { id } of pages((page) => store.apps.list({ kind: "all" }, {}, page))) {
    const app = await store.apps.get(id);
    const keep = (images: readonly Digest[]) => {
      for (const image of images) protect.add(image);
    };
    keep(imagesOf(app.spec.components));
    keep(imagesDesired(await desiredOf(parts, app)));
    for await (const record of pages((page) => store.records.list({ kind: "all" }, { appId: id }, page))) {
      if (!record.hasSnapshot) continue;
      keep(imagesOf((await store.records.snapshot(record.id)).spec.components));
      if (record.planId === undefined) continue;
      const { generation } = await store.plans.get(record.planId);
      keep(imagesDesired(await desiredOf(parts, { id, generation: generation - 1 })));
    }
  }
  const now = parts.nowMs();
  const keepYoungerThanMs = KEEP_YOUNGER_THAN_MS + (await longestRunMs(parts, now));
  return { protect: [...protect], now, keepYoungerThanMs };
}

/** How long ago the oldest job that runs began: what an import has brought so far is not referred to before its end. */
async function longestRunMs({ store }: ServerParts, now: number): Promise<number> {
  let longestMs = 0;
  for await (const job of pages((page) => store.jobs.list({ kind: "all" }, { state: "running" }, page)))
    longestMs = Math.max(longestMs, now - Date.parse(job.startedAt ?? job.createdAt));
  return longestMs;
}

async function* pages<T>(list: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let after: string | undefined;
  do {
    const page: Page<T> = await list(after === undefined ? { limit: 200 } : { limit: 200, after });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

/** Also what mere names of images were found to stand for. */
function imagesDesired(desired: Desired | undefined): Digest[] {
  return desired?.components.map(({ spec }) => spec.image.id) ?? [];
}

function imagesOf(components: Readonly<Record<string, { readonly image?: unknown }>>): Digest[] {
  return Object.values(components).flatMap(({ image }) =>
    typeof image === "object" && image !== null && "id" in image ? [image.id as Digest] : [],
  );
}

const MIB = 1024 * 1024;
const SHOWN_MAX = 50;

/** The plan as data for the API and as text for people. */
export function renderPrunePlan(plan: PrunePlan) {
  const { images, layers, packs, rewrites } = plan.goes;
  const mib = (plan.bytesFreed / MIB).toFixed(1);
  const head = `Frees about ${mib} MiB: ${images.length} images, ${layers.length} layers; ${packs.length} packs go, ${rewrites.length} are rewritten.`;
  const lines = [
    plan.bytesFreed === 0 ? "There is nothing to free." : head,
    ...images.slice(0, SHOWN_MAX).map((id) => `  goes: image ${id}`),
    ...plan.keeps.slice(0, SHOWN_MAX).map(({ imageId, because }) => `  stays: image ${imageId} (${because})`),
  ];
  return {
    images: [...images],
    layers: layers.length,
    packsDropped: packs.length,
    packsRewritten: rewrites.length,
    freesBytes: plan.bytesFreed,
    protectedBy: plan.keeps.map(({ imageId, because }) => ({ what: imageId, because })),
    text: lines.join("\n"),
  };
}
