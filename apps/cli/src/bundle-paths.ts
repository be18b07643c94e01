import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Bundle } from "@sampan/bundle";
import { type Digest, digestFromHex } from "@sampan/content";
import { cliProblem } from "./problems.ts";

/** The files that are named; of a folder, such as a stick, every bundle file in it. Throws CLI_FILE when a folder has none. */
export async function bundlePaths(given: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const path of given) {
    const isFolder = await stat(path).then(
      (one) => one.isDirectory(),
      () => false,
    );
    if (!isFolder) {
      paths.push(path);
      continue;
    }
    // Some systems leave files that begin with a point beside each file of a stick.
    const names = (await readdir(path)).filter((name) => /^[^.].*\.sampan$/i.test(name)).toSorted();
    if (names.length === 0)
      throw cliProblem("CLI_FILE", `there is no bundle in ${path}`, {
        why: "no file in it has a name that ends in .sampan",
        hint: "check the path, and that the stick is mounted",
      });
    paths.push(...names.map((name) => join(path, name)));
  }
  return [...new Set(paths)];
}

/** Names all that a file has, by what its root says: the bundle's own digest names its whole file, but each of its parts has that. */
export function digestOfFile(bundle: Pick<Bundle, "manifestDigest" | "part" | "content">): Digest {
  const { manifestDigest, part, content } = bundle;
  if (part.kind === "whole") return manifestDigest;
  const words = [manifestDigest, part.kind, ...content.map(({ digest }) => digest)].join("\n");
  return digestFromHex(createHash("sha256").update(words).digest("hex"));
}
