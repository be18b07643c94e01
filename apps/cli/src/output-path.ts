import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { CommandContext } from "./command-context.ts";
import { cliProblem } from "./problems.ts";

/**
 * Where a file is going to be written: `given`, or in that folder, or here, under `name`. Asks before it takes the place of
 * another. Throws CLI_FILE when the folder is absent.
 */
export async function chooseOutputPath(context: CommandContext, wish: OutputWish): Promise<string> {
  const target = await outputPath(wish);
  await confirmReplace(context, target);
  return target;
}

interface OutputWish {
  readonly given: string | undefined;
  readonly name: string;
}

/** As {@link chooseOutputPath}, without looking whether a file is there. */
export async function outputPath({ given, name }: OutputWish): Promise<string> {
  const wanted = resolve(given ?? name);
  const target = (await kindOf(wanted)) === "folder" ? join(wanted, name) : wanted;
  if ((await kindOf(dirname(target))) !== "folder")
    throw cliProblem("CLI_FILE", `cannot write ${target}`, {
      why: `there is no folder ${dirname(target)}`,
      hint: "make it, or name another with -o",
    });
  return target;
}

export async function confirmReplace(context: CommandContext, target: string): Promise<void> {
  if ((await kindOf(target)) !== undefined) await context.confirm(`${target} is there already. Replace it?`);
}

/** Of the same names as the server's: `shop.sampan` and `Shop-2.9.vol02.sampan` give `shop.vol02.sampan`. */
export function volumePath(path: string, volumeName: string): string {
  const ending = /\.vol\d{2,4}\.sampan$/.exec(volumeName)?.[0] ?? ".sampan";
  return `${path.replace(/\.sampan$/, "")}${ending}`;
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
