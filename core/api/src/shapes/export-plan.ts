import { z } from "zod";
import { digest } from "./basics.ts";
import { change } from "./changes.ts";

const news = {
  newFiles: z.int(),
  changedFiles: z.int(),
  newBytes: z.number(),
  largest: z
    .array(z.object({ path: z.string(), kind: z.enum(["new", "changed"]), newBytes: z.number() }))
    .readonly(),
};

const prediction = z.object({
  site: z.object({ id: z.string(), name: z.string() }),
  /** Of the state, and when the site's clock says that it was made. */
  sequence: z.int(),
  at: z.string(),
  space: z.object({ fits: z.boolean(), needsBytes: z.number(), freeBytes: z.number() }),
  /** Absent when the site never measured an import. */
  importMs: z.number().optional(),
  /** What the site's machine does not fulfil. */
  unfit: z.array(z.object({ path: z.string(), message: z.string() })).readonly(),
  upgrades: z
    .array(
      z.object({
        team: z.string(),
        app: z.string(),
        templateName: z.string(),
        from: z.string(),
        to: z.string(),
        /** Parameters that will be asked. */
        missing: z.array(z.object({ name: z.string(), title: z.string().optional() })).readonly(),
        /** What the site changed, and so keeps although the release offers something else. */
        conflicts: z.array(change).readonly(),
        /** Secrets: whether the site changed them cannot be told. */
        unknown: z.array(change).readonly(),
        remarks: z.array(z.string()).readonly(),
      }),
    )
    .readonly(),
});

/** What an export would write, and what it would meet. Sizes are bytes. */
export const exportPlan = z.object({
  kind: z.enum(["full", "increment"]),
  /** Of all files: to 5 per cent. */
  sizeBytes: z.number(),
  /** Files: 1 when no size of volumes was given; else estimated, and one more is possible. */
  volumeCount: z.int(),
  parts: z.object({
    packBytes: z.number(),
    recipeBytes: z.number(),
    otherBytes: z.number(),
    rootBytes: z.number(),
  }),
  pieces: z.object({
    newCount: z.int(),
    newBytes: z.number(),
    reusedCount: z.int(),
    reusedBytes: z.number(),
  }),
  layersCarriedBytes: z.number(),
  layersLeftOutBytes: z.number(),
  bases: z
    .array(
      z.object({
        release: digest,
        templateId: z.string(),
        templateName: z.string(),
        version: z.string(),
        pieceCount: z.int(),
        pieceBytes: z.number(),
        unknownLayers: z.int(),
      }),
    )
    .readonly(),
  releases: z
    .array(
      z.object({
        digest,
        templateName: z.string(),
        version: z.string(),
        components: z
          .array(
            z.object({
              name: z.string(),
              image: z.string(),
              layersCarried: z.int(),
              layersLeftOut: z.int(),
              carriedBytes: z.number(),
              ...news,
            }),
          )
          .readonly(),
      }),
    )
    .readonly(),
  media: z.array(z.object({ name: z.string(), sizeBytes: z.number(), count: z.int() })).readonly(),
  sites: z.array(prediction).readonly(),
  remarks: z.array(z.string()).readonly(),
});
