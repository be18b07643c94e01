import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Runs before the tests that use an engine: their images are built on a base that a new machine does not have. Quick where it is there. */
export function setup(): void {
  const make = join(import.meta.dirname, "..", "base-image", "make.mjs");
  execFileSync(process.execPath, [make], { stdio: "inherit" });
}
