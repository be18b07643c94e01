import { type Digest, isDigest } from "@sampan/content";
import { z } from "zod";

export const ITEMS_MAX = 20_000;
export const word = z.string().max(512);
export const words = z.string().max(16_384);
/** A site's clock: for people, never to decide by. */
export const time = z.iso.datetime();
export const digest = z.custom<Digest>(isDigest, "is not a sha256 digest");
export const count = z.int().min(0);

/** Grows with every document that a site makes. */
export const sequence = z.int().min(1);

/** Who speaks. The key is the one that signed. */
export const siteIdentity = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  enterprise: word.regex(/^\P{Cc}*$/u),
  keyId: digest,
  publicKeyPem: z.string().max(4096),
});

export type SiteIdentity = z.infer<typeof siteIdentity>;
