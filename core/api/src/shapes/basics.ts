import { z } from "zod";

export const id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/);
export const digest = z.templateLiteral(["sha256:", z.string().regex(/^[0-9a-f]{64}$/)]);
/** ISO 8601, UTC. */
export const time = z.string().max(40);
export const note = z.string().max(4000);

/** Lists go on after the last item's `next`; at most `limit` items. */
export const pageQuery = {
  after: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
};
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next: z.string().optional() });

export const byId = z.object({ id });

/** A JSON document whose own schema is elsewhere (an App, a Release, a Plan): checked there, shown here as it is. */
export const document = z.record(z.string(), z.unknown());

/** Query flags: `?force=true`. */
export const flag = z.enum(["true", "false"]).transform((text) => text === "true");

/** The body that starts long work answers with the job to follow. */
export const jobStarted = z.object({ jobId: id });
