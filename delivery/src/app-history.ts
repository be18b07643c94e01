import type { Digest } from "@sampan/content";
import type { StoredApp, StoredRecord } from "@sampan/store";
import type { Parts } from "./parts.ts";

/** What an app was made into. */
export type AppState = Pick<StoredApp, "spec" | "values" | "modules">;

interface Dated {
  readonly record: StoredRecord;
  /** Of the app, as the record made it. */
  readonly generation: number;
}

/** The records of an app that changed it, newest first. They are told apart by generation: a clock may have been set back. */
async function* datedRecords(parts: Pick<Parts, "store">, appId: string): AsyncGenerator<Dated> {
  let after: string | undefined;
  do {
    const request = after === undefined ? { limit: 50 } : { limit: 200, after };
    const page = await parts.store.records.list({ kind: "all" }, { appId }, request);
    for (const record of page.items) {
      if (record.planId === undefined) continue;
      yield { record, generation: (await parts.store.plans.get(record.planId)).generation };
    }
    after = page.next;
  } while (after !== undefined);
}

/**
 * What a record made of its app: what the next record found there, or what the app is now. Undefined when that cannot be told, as for
 * an app that was taken up again after the database was lost.
 */
export async function stateAfter(
  parts: Pick<Parts, "store">,
  record: StoredRecord,
): Promise<AppState | undefined> {
  if (record.planId === undefined) return undefined;
  const { generation } = await parts.store.plans.get(record.planId);
  const app = await parts.store.apps.get(record.appId);
  if (app.generation === generation) return app;
  for await (const next of datedRecords(parts, record.appId))
    if (next.generation === generation + 1 && next.record.hasSnapshot)
      return await parts.store.records.snapshot(next.record.id);
  return undefined;
}

/** By installation: the release that it was at, after a record. */
export async function releasesAfter(
  parts: Pick<Parts, "store">,
  record: StoredRecord,
): Promise<ReadonlyMap<string, Digest>> {
  const newest = new Map<string, { readonly generation: number; readonly release: Digest }>();
  if (record.planId === undefined) return new Map();
  const { generation: until } = await parts.store.plans.get(record.planId);
  for await (const { record: one, generation } of datedRecords(parts, record.appId)) {
    const { installationId, toRelease } = one;
    if (installationId === undefined || toRelease === undefined || generation > until) continue;
    const known = newest.get(installationId);
    if (known === undefined || known.generation < generation)
      newest.set(installationId, { generation, release: toRelease });
  }
  return new Map([...newest].map(([id, { release }]) => [id, release]));
}
