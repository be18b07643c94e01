import { readFile, writeFile } from "node:fs/promises";
import type { Measure } from "./bench.ts";

/** Linux counts processor time in hundredths of a second, whatever its own clock does (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

/** Measures what an act costs in a process that runs before and after it: its own time and memory, not the engine's. */
export async function measureServer(
  pid: number,
  act: () => Promise<Pick<Measure, "sizeBytes">>,
): Promise<Measure> {
  // 5 sets the peak to what is resident now (proc(5), clear_refs).
  await writeFile(`/proc/${pid}/clear_refs`, "5");
  const cpuBefore = await cpuSeconds(pid);
  const startedMs = performance.now();
  const { sizeBytes } = await act();
  const wallSeconds = Math.round(performance.now() - startedMs) / 1000;
  return {
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    wallSeconds,
    cpuSeconds: Math.round(((await cpuSeconds(pid)) - cpuBefore) * 100) / 100,
    peakRssBytes: parsePeak(await readFile(`/proc/${pid}/status`, "utf8")),
  };
}

async function cpuSeconds(pid: number): Promise<number> {
  return parseCpu(await readFile(`/proc/${pid}/stat`, "utf8"));
}

/** User and system time, fields 14 and 15 of /proc/PID/stat; the name in brackets before them may hold anything. */
export function parseCpu(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[14 - 3]), Number(fields[15 - 3])];
  if (!Number.isFinite(user + system)) throw new Error(`/proc/PID/stat says ${JSON.stringify(stat)}`);
  return (user + system) / TICKS_PER_SECOND;
}

/** The high-water mark of resident memory, `VmHWM` of /proc/PID/status. */
export function parsePeak(status: string): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error("/proc/PID/status has no VmHWM");
  return Number(kibibytes) * 1024;
}
