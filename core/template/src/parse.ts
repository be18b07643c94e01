import type { Fault } from "@sampan/problem";
import type { z } from "zod";
import { type App, type AppBody, app } from "./app.ts";
import { checkBody, checkRelease } from "./check-body.ts";
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
  return check(app, value, { early: faults, locate, furtherFaults: () => [] });
}

/** As {@link parseApp}, for a value that came as JSON. Faults have no lines. */
export function parseAppValue(value: unknown): Parsed<App> {
  const copied = copyWithinLimits(value);
  return check(app, copied.value, { early: copied.faults, locate: nowhere, furtherFaults: () => [] });
}

/** Reads the YAML or JSON text of a release, as {@link parseApp} does; and every image must be pinned, every component have its id. */
export function parseRelease(text: string): Parsed<Release> {
  const { value, faults, locate } = readYamlText(text);
  return check(release, value, { early: faults, locate, furtherFaults: checkRelease });
}

export function parseReleaseValue(value: unknown): Parsed<Release> {
  const copied = copyWithinLimits(value);
  return check(release, copied.value, { early: copied.faults, locate: nowhere, furtherFaults: checkRelease });
}

const nowhere: Locate = () => undefined;

interface Reading {
  readonly early: readonly PlacedFault[];
  readonly locate: Locate;
  readonly furtherFaults: (body: AppBody) => readonly PlacedFault[];
}

function check<T extends App | Release>(
  schema: z.ZodObject & z.ZodType<T>,
  value: unknown,
  { early, locate, furtherFaults }: Reading,
): Parsed<T> {
  if (value === undefined) return { faults: finishFaults(early, locate), warnings: [] };
  const checked = checkSchema(schema, value);
  const remainder: Partial<T> = checked.remainder;
  const body: AppBody = { ...remainder, components: remainder.components ?? {} };
  const isWhole = checked.faults.length === 0;
  const found = checkBody(body, { value, isWhole });
  // What could not be read is said once: as that, not as what it then lacks.
  const said = new Set(early.map(({ path }) => path.join(".")));
  const later = [...checked.faults, ...found.faults, ...furtherFaults(body)].filter(
    ({ path }) => path.length === 0 || !said.has(path.join(".")),
  );
  const faults = finishFaults([...early, ...later], locate);
  const warnings = finishFaults(found.warnings, locate);
  if (faults.length > 0 || checked.value === undefined) return { faults, warnings };
  return { value: checked.value, faults: [], warnings };
}
