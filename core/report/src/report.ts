import { type Digest, isDigest } from "@sampan/content";
import { z } from "zod";

/** What is signed, in the DSSE envelope's words. */
export const REPORT_PAYLOAD_TYPE = "application/vnd.sampan.report.v1+json";

const ITEMS_MAX = 20_000;
const word = z.string().max(512);
const words = z.string().max(16_384);
const time = z.iso.datetime();
const digest = z.custom<Digest>(isDigest, "is not a sha256 digest");
const tookMs = z.number().int().min(0);

const version = z.strictObject({ version: word, digest });

const preflightCheck = z.strictObject({
  id: word,
  title: words,
  state: z.enum(["pass", "warn", "fail"]),
  found: words,
  wanted: words,
  remedy: words.optional(),
});

const step = z.strictObject({
  id: word,
  /** As in a plan: "instance.create". */
  kind: word,
  /** What it is done to: "web 1". */
  object: words,
  why: words,
  state: z.enum(["succeeded", "failed", "skipped", "not begun"]),
  message: words.optional(),
  startedAt: time.optional(),
  tookMs: tookMs.optional(),
});

const acceptanceCheck = z.strictObject({
  name: word,
  state: z.enum(["passed", "failed"]),
  message: words.optional(),
  tookMs: tookMs.optional(),
});

/** What was done to an installation, and how it was found to work: what a site vouches for. Secrets are masked before it is made. */
export const report = z.strictObject({
  schema: z.literal(1),
  /** Id of the record at the site. */
  id: word,
  site: z.strictObject({ id: word, keyId: digest }),
  productVersion: word,
  team: word,
  app: z.strictObject({ id: word, name: word, title: word.optional() }),
  kind: z.enum(["install", "upgrade", "rollback"]),
  template: z.strictObject({ id: word, name: word }).optional(),
  from: version.optional(),
  to: version.optional(),
  /** One row a component that belongs to the app: what it runs from. */
  images: z.array(z.strictObject({ component: word, name: word, id: digest })).max(ITEMS_MAX),
  /** Names of the modules that are on. */
  modules: z.array(word).max(ITEMS_MAX),
  parameters: z
    .array(z.strictObject({ name: word, title: word.optional(), value: words, secret: z.boolean() }))
    .max(ITEMS_MAX),
  preflight: z.array(preflightCheck).max(ITEMS_MAX),
  plan: z.strictObject({ digest: digest.optional(), steps: z.array(step).max(ITEMS_MAX) }),
  acceptance: z.array(acceptanceCheck).max(ITEMS_MAX),
  result: z.enum(["succeeded", "failed", "returned", "cancelled"]),
  /** Why it did not succeed. */
  reason: words.optional(),
  /** The data snapshot that was captured on the way, or put back. */
  dataSnapshot: word.optional(),
  who: word,
  /** The note that was given. */
  why: words.optional(),
  startedAt: time,
  endedAt: time,
});

export type Report = z.infer<typeof report>;

/** That a person read the report and agrees, or does not: what the site noted of it. */
export const countersignature = z.strictObject({
  /** The person's. */
  name: z.string().trim().min(1).max(200),
  remark: z.string().max(4000).optional(),
  at: time,
  /** Name of the user at the site who was logged in. */
  user: word,
  /** Over the same payload, with a key of the person's own: Ed25519. */
  signature: z
    .strictObject({ keyId: digest, publicKeyPem: z.string().max(4096), sig: z.string().max(128) })
    .optional(),
});

export type Countersignature = z.infer<typeof countersignature>;
