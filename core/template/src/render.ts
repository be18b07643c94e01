import { Bug } from "@sampan/problem";
import { stringify } from "yaml";
import type { z } from "zod";
import { type App, app } from "./app.ts";
import { type Release, release } from "./release.ts";

/**
 * Writes an app as `app.yaml`: keys in the order of the schema, names in their own order, texts of several lines as blocks. Parsing it
 * gives the same app again. An app that is not valid is a bug of the caller.
 */
export function renderApp(value: App): string {
  return render(app, value);
}

/** As {@link renderApp}, for people who read a release. Its identity is its canonical text, not this. */
export function renderRelease(value: Release): string {
  return render(release, value);
}

function render(schema: z.ZodType, value: unknown): string {
  const result = schema.safeParse(value);
  if (!result.success) throw new Bug(`a value to be rendered is not valid: ${result.error.message}`);
  // Parsed values have their keys in the order of the schema. Quoting as for YAML 1.1 keeps other readers from taking "on" for true.
  return stringify(result.data, {
    version: "1.2",
    schema: "core",
    compat: "yaml-1.1",
    aliasDuplicateObjects: false,
    blockQuote: "literal",
    collectionStyle: "block",
    lineWidth: 0,
    minContentWidth: 0,
  });
}
