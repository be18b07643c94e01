import { z } from "zod";
import { API_VERSION, appBody } from "./app.ts";
import { digest } from "./component.ts";
import { text, title } from "./primitives.ts";

export const templateId = z.string().regex(/^[a-z0-9][a-z0-9-]{2,62}$/, "use 3 to 63 of a-z, 0-9 and -");
export const versionNumber = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/, "use 1 to 64 letters, digits, dots, dashes, + and _");

/** The identity of a product across versions. */
export const template = z
  .strictObject({
    id: templateId,
    name: title,
    summary: text.optional(),
    tags: z.array(z.string().min(1).max(40)).max(20).optional(),
    /** Digest of the logo (PNG, JPEG or SVG, at most 512 KiB), carried as a blob. */
    logo: z
      .strictObject({ digest, mediaType: z.enum(["image/png", "image/jpeg", "image/svg+xml"]) })
      .optional(),
  })
  .meta({ id: "Template" });

/**
 * One immutable version of a template: every image pinned, every component with its id. It is identified by the digest of its
 * canonical text, and holds no time, so the same app published twice is the same release.
 */
export const release = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal("Release"),
    template,
    version: versionNumber,
    alias: title.optional(),
    notes: text.optional(),
    ...appBody,
  })
  .meta({ id: "Release" });

export type Template = z.infer<typeof template>;
export type Release = z.infer<typeof release>;
