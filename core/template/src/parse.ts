import type { Fault } from "@sampan/problem";
import type { z } from "zod";
import { type App, app } from "./app.ts";
import { finishFaults, type Locate, type PlacedFault } from "./faults.ts";
import { type Release, release } from "./release.ts";
import { checkSchema } from "./schema-faults.ts";
import { copyWithinLimits } from "./value-limits.ts";
import { readYamlText } from "./yaml-text.ts";

/** `value` is there exactly when there is no fault. Warnings never stop anything. Both are in the order of the text. */
export interface Parsed<T> {
  readonly value?: T;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Reads `app.yaml`: YAML 1.2, at most 4 MiB. All faults are found at once, each with its dotted path and line. */
export function parseApp(text: string): Parsed<App> {
  const { value, faults, locate } = readYamlText(text);
  return check(app, value, faults, locate);
}

/** As {@link parseApp}, for a value that came as JSON. Faults have no lines. */
export function parseAppValue(value: unknown): Parsed<App> {
  const copied = copyWithinLimits(value);
  return check(app, copied.value, copied.faults, () => undefined);
}

/** Reads the YAML or JSON text of a release, as {@link parseApp} does; and every image must be pinned, every component have its id. */
export function parseRelease(text: string): Parsed<Release> {
  const { value, faults, locate } = readYamlText(text);
  return check(release, value, faults, locate);
}

export function parseReleaseValue(value: unknown): Parsed<Release> {
  const copied = copyWithinLimits(value);
  return check(release, copied.value, copied.faults, () => undefined);
}

function check<T extends App | Release>(
  schema: z.ZodType<T>,
  value: unknown,
  early: readonly PlacedFault[],
  locate: Locate,
): Parsed<T> {
  if (value === undefined) return { faults: finishFaults(early, locate), warnings: [] };
  const { faults, remainder } = checkSchema(schema, value);
  const all = finishFaults([...early, ...faults], locate);
  return all.length > 0 ? { faults: all, warnings: [] } : { value: remainder as T, faults: [], warnings: [] };
}
