import { expect, test } from "vitest";
import { measureServer, parseCpu, parsePeak } from "./measure-server.ts";

test("processor time is read behind a name that holds brackets and spaces", () => {
  const stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 9 0 0 0 150 50 0 0 20 0 1 0 100 0 0";
  expect(parseCpu(stat)).toBe(2);
  expect(() => parseCpu("42 (node) S")).toThrow("/proc/PID/stat");
});

test("peak memory is read in bytes", () => {
  expect(parsePeak("VmPeak:\t 9 kB\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n")).toBe(2_097_152);
  expect(() => parsePeak("VmRSS:\t 1 kB\n")).toThrow("VmHWM");
});

test("an act of a running process is measured", async () => {
  const measured = await measureServer(process.pid, async () => ({ sizeBytes: 3 }));
  expect(measured.sizeBytes).toBe(3);
  expect(measured.cpuSeconds).toBeGreaterThanOrEqual(0);
  expect(measured.peakRssBytes).toBeGreaterThan(1_000_000);
});
