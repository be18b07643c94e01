import { z } from "zod";
import { count, digest, ITEMS_MAX, sequence, siteIdentity, time, word, words } from "./basics.ts";

/** What is signed, in the DSSE envelope's words. */
export const RECEIPT_PAYLOAD_TYPE = "application/vnd.sampan.receipt.v1+json";

const arrival = z.strictObject({
  id: word,
  /** Of its manifest: names the bundle. */
  bundle: word,
  fileName: word,
  sizeBytes: count,
  releases: z.array(z.strictObject({ digest, templateName: word, version: word })).max(1000),
  /** Key id; absent when the bundle was not signed and that was accepted. */
  signer: word.optional(),
  who: word,
  at: time,
});

const version = z.strictObject({ version: word, digest });

const record = z.strictObject({
  id: word,
  kind: z.enum(["install", "upgrade", "rollback"]),
  team: word,
  app: z.strictObject({ id: word, name: word }),
  template: z.strictObject({ id: word, name: word }).optional(),
  from: version.optional(),
  to: version.optional(),
  result: z.enum(["succeeded", "failed", "returned", "cancelled"]),
  /** Why it did not succeed. */
  reason: words.optional(),
  who: word,
  /** The note that was given. */
  why: words.optional(),
  startedAt: time,
  endedAt: time,
  acceptance: z.array(z.strictObject({ name: word, state: z.enum(["passed", "failed"]) })).max(ITEMS_MAX),
  /** `signed`: with a key of the person's own; the report has the proof. */
  countersignatures: z
    .array(
      z.strictObject({
        name: word,
        at: time,
        remark: z.string().max(4000).optional(),
        signed: z.boolean(),
      }),
    )
    .max(200),
  /** SHA-256 of the acceptance report's envelope. */
  report: digest,
});

/** What arrived at a site, what was done with it, and who accepted it: oldest first. */
export const receipt = z.strictObject({
  schema: z.literal(1),
  sequence,
  /** What an earlier document up to this number told is not in it; 0: it tells everything. */
  since: count,
  at: time,
  site: siteIdentity,
  productVersion: word,
  /** The newest site state that was made before: its number, and SHA-256 of its payload. */
  state: z.strictObject({ sequence, digest }).optional(),
  imports: z.array(arrival).max(ITEMS_MAX),
  records: z.array(record).max(ITEMS_MAX),
  /** How many older imports and records were left out, because there were too many. */
  omitted: count,
});

export type Receipt = z.infer<typeof receipt>;
