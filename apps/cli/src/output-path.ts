import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { CommandContext } from "./command-context.ts";
import { cliProblem } from "./problems.ts";

/**
 * Where a file is going to be written: `given`, or in that folder, or here, under `name`. Asks before it takes the place of
 * another. Throws CLI_FILE when the folder is absent.
 */
export async function chooseOutputPath(
  context: CommandContext,
  { given, name }: { readonly given: string | undefined; readonly name: string },
): Promise<string> {
  const wanted = resolve(given ?? name);
  const target = (await kindOf(wanted)) === "folder" ? join(wanted, name) : wanted;
  if ((await kindOf(dirname(target))) !== "folder")
    throw cliProblem("CLI_FILE", `cannot write ${target}`, {
      why: `there is no folder ${dirname(target)}`,
      hint: "make it, or name another with -o",
    });
  if ((await kindOf(target)) !== undefined) await context.confirm(`${target} is there already. Replace it?`);
  return target;
}

/** A template's name and a version as the name of a file; `suffix` tells what an increment is for. */
export function bundleFileName(
  release: { readonly templateName: string; readonly version: string },
  { suffix = "" }: { readonly suffix?: string } = {},
): string {
  const stem = `${release.templateName}-${release.version}${suffix}`.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-");
  return `${stem.replace(/^[.-]+/, "")}.sampan`;
}

async function kindOf(path: string): Promise<"folder" | "file" | undefined> {
  return await stat(path).then(
    (one) => (one.isDirectory() ? "folder" : "file"),
    () => undefined,
  );
}
