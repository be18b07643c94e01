import { z } from "zod";
import { count, digest, ITEMS_MAX, sequence, siteIdentity, time, word } from "./basics.ts";

/** What is signed, in the DSSE envelope's words. */
export const SITE_STATE_PAYLOAD_TYPE = "application/vnd.sampan.site-state.v1+json";

/** What is not known is absent. Sizes are bytes. */
const engine = z.strictObject({
  driver: word,
  reachable: z.boolean(),
  name: word.optional(),
  version: word.optional(),
  apiVersion: word.optional(),
  os: word.optional(),
  architecture: word.optional(),
  kernel: word.optional(),
  cpus: z.number().min(0).optional(),
  memoryBytes: count.optional(),
  /** Where the engine keeps images and volumes. */
  freeBytes: count.optional(),
});

const hold = z.strictObject({
  images: count,
  layers: count,
  pieces: count,
  storedBytes: count,
  /** On the disk that holds it. */
  freeBytes: count,
});

const release = z.strictObject({
  digest,
  templateId: word,
  templateName: word,
  version: word,
  alias: word.optional(),
  /** IDs of its images that the site holds. */
  images: z.array(digest).max(ITEMS_MAX),
});

const image = z.strictObject({
  id: digest,
  os: word,
  architecture: word,
  /** DiffIDs, bottom first. */
  layers: z.array(digest).max(1024),
});

const document = z.record(z.string().max(512), z.unknown());

const installation = z.strictObject({
  id: word,
  templateId: word,
  templateName: word,
  release: digest,
  version: word,
  state: word,
  /** Names in the release to names here, and which parts come from where, as the site keeps it. */
  names: document,
});

const app = z.strictObject({
  id: word,
  name: word,
  team: word,
  stopped: z.boolean(),
  /** The app as it is at the site, its secrets masked. */
  spec: document,
  /** Names of the parameters that have an answer. The answers stay at the site. */
  answered: z.array(word).max(ITEMS_MAX),
  modules: z.record(word, z.boolean()),
  installations: z.array(installation).max(1000),
});

const policy = z.strictObject({
  noteRequired: z.boolean(),
  captureBeforeUpgrade: z.boolean(),
  snapshotsKept: count,
});

/** What a site holds, runs and can. It has no secrets, no answers and no data. */
export const siteState = z.strictObject({
  schema: z.literal(1),
  sequence,
  at: time,
  site: siteIdentity,
  productVersion: word,
  engine,
  hold,
  /** All that its library lists. */
  releases: z.array(release).max(ITEMS_MAX),
  /** Of the releases, each once. */
  images: z.array(image).max(ITEMS_MAX),
  apps: z.array(app).max(ITEMS_MAX),
  rates: z.strictObject({
    /** Bytes of uncompressed layers a second, from beginning to end of past imports. */
    importBytesPerSecond: z.number().min(0).optional(),
  }),
  policy,
});

export type SiteState = z.infer<typeof siteState>;
