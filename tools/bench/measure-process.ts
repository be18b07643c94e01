import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measure } from "./bench.ts";

const ERROR_BYTES_MAX = 4_096;

/**
 * Runs a program under GNU time and gives wall time, CPU time of it and all it waited for, and the peak memory of its
 * largest process. A pipeline is measured as `["bash", "-c", "set -o pipefail; a | b"]`. Throws when it fails.
 */
export async function measureProcess(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Required<Pick<Measure, "wallSeconds" | "cpuSeconds" | "peakRssBytes">>> {
  const folder = await mkdtemp(join(tmpdir(), "sampan-bench-"));
  const usagePath = join(folder, "usage");
  try {
    const startedMs = performance.now();
    const child = spawn("time", ["--output", usagePath, "--format", "%U %S %M", ...command], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-ERROR_BYTES_MAX);
    });
    const [exitCode] = await once(child, "close");
    const wallSeconds = Math.round(performance.now() - startedMs) / 1000;
    if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}: ${errors.trim()}`);
    return { wallSeconds, ...parseUsage(await readFile(usagePath, "utf8")) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `user system kibibytes`, seconds with two digits after the point. */
export function parseUsage(text: string): { readonly cpuSeconds: number; readonly peakRssBytes: number } {
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  const [user, system, kibibytes, ...rest] = line.split(" ").map(Number);
  if (user === undefined || system === undefined || kibibytes === undefined || rest.length > 0)
    throw new Error(`GNU time wrote ${JSON.stringify(line)}`);
  return { cpuSeconds: Math.round((user + system) * 100) / 100, peakRssBytes: kibibytes * 1024 };
}
