import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { appSchema } from "./generators/app-schema.ts";
import { cliReference } from "./generators/cli-reference.ts";
import type { Generator } from "./generators/generator.ts";
import { openApiDocument } from "./generators/openapi-document.ts";
import { problemsReference } from "./generators/problems-reference.ts";

/**
 * Writes the generated files; with `--check` only says which are stale. A new generator is one more row here.
 */
const GENERATORS: readonly Generator[] = [appSchema, openApiDocument, problemsReference, cliReference];

const root = join(import.meta.dirname, "..");
const checkOnly = process.argv.includes("--check");
const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

for (const generator of GENERATORS) {
  for (const { path, text } of await generator.generate({ root, workspaces })) {
    const absolute = join(root, path);
    const fresh = readOrNothing(absolute) === text;
    if (!fresh && checkOnly) {
      process.stdout.write(`${path} is stale (${generator.name}): run \`npm run generate\` and commit it\n`);
      process.exitCode = 1;
    } else if (!fresh) {
      mkdirSync(dirname(absolute), { recursive: true });
      writeFileSync(absolute, text);
      process.stdout.write(`${path} written\n`);
    }
  }
}
