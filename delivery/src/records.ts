import type { Digest } from "@sampan/content";
import type { StoredRecord, StoredRollout } from "@sampan/store";
import type { Parts } from "./parts.ts";

/** What a record keeps beside the store's own columns. */
export interface RecordDetails {
  readonly decisions: unknown;
  readonly onFailure: "return" | "hold";
  /** Of the plan, as somebody was shown it. */
  readonly digest?: Digest;
  /** The rollout whose failure this one makes good. */
  readonly returns?: string;
  /** When it goes back by itself, the data that was captured is put back too. */
  readonly restoreOnReturn?: true;
  /** The data snapshot that it puts back. */
  readonly restored?: string;
}

/** The newest record of an app that is so. */
export async function findRecord(
  parts: Pick<Parts, "store">,
  appId: string,
  isIt: (record: StoredRecord) => boolean,
): Promise<StoredRecord | undefined> {
  let after: string | undefined;
  do {
    const request = after === undefined ? { limit: 50 } : { limit: 200, after };
    const page = await parts.store.records.list({ kind: "all" }, { appId }, request);
    const found = page.items.find(isIt);
    if (found !== undefined) return found;
    after = page.next;
  } while (after !== undefined);
  return undefined;
}

/** The record that a rollout belongs to; a rollout that only mended what had changed by itself has none. */
export async function recordOfRollout(
  parts: Pick<Parts, "store">,
  rollout: Pick<StoredRollout, "id" | "appId">,
): Promise<StoredRecord | undefined> {
  return await findRecord(parts, rollout.appId, (record) => record.rolloutId === rollout.id);
}
