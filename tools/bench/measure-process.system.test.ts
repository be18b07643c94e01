import { expect, test } from "vitest";
import { measureProcess } from "./measure-process.ts";

test("a process is measured, and what it needed is plausible", async () => {
  const usage = await measureProcess([process.execPath, "-e", "Buffer.alloc(300e6, 1)"]);
  expect(usage.peakRssBytes).toBeGreaterThan(300e6);
  expect(usage.cpuSeconds).toBeGreaterThan(0);
});

test("a process that fails is no measurement", async () => {
  const failing = measureProcess([process.execPath, "-e", "console.error('broken'); process.exit(3)"]);
  await expect(failing).rejects.toThrow(/ended with 3: .*broken/s);
});
