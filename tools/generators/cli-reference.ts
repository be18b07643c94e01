import { join } from "node:path";
import type { Generator } from "./generator.ts";

/** docs/guide/cli.md and its Chinese twin: the command line, as the program itself describes it. */
export const cliReference: Generator = {
  name: "reference of the command line",
  async generate({ root }) {
    const cli: { readonly cliReference: (language: "en" | "zh") => string } = await import(
      join(root, "apps", "cli", "src", "index.ts")
    );
    return [
      { path: "docs/guide/cli.md", text: cli.cliReference("en") },
      { path: "docs/guide/zh/cli.md", text: cli.cliReference("zh") },
    ];
  },
};
