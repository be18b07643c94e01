import { defineConfig } from "vitest/config";

const FLOORS = ["core", "parts", "delivery", "apps", "tools"];
/** Kinds of `*.KIND.test.ts`, by what they need of the machine: `npm test` brings it. */
const NEEDS_SYSTEM = ["docker", "skopeo", "system"];
const MINUTE_MS = 60_000;

/** Tests that share an engine run one file after the other; groups run one after the other, the quick ones first. */
export default defineConfig({
  test: {
    allowOnly: false,
    exclude: ["**/node_modules/**"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: FLOORS.map((floor) => `${floor}/**/*.test.ts`),
          exclude: NEEDS_SYSTEM.map((kind) => `**/*.${kind}.test.ts`),
          sequence: { groupOrder: 0 },
          testTimeout: MINUTE_MS / 2,
        },
      },
      {
        extends: true,
        test: {
          name: "system",
          include: NEEDS_SYSTEM.flatMap((kind) => FLOORS.map((floor) => `${floor}/**/*.${kind}.test.ts`)),
          sequence: { groupOrder: 1 },
          globalSetup: ["tools/check/base-image-setup.ts"],
          maxWorkers: 1,
          testTimeout: 3 * MINUTE_MS,
          hookTimeout: 3 * MINUTE_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "journeys",
          include: ["journeys/**/*.journey.ts"],
          globalSetup: ["tools/check/base-image-setup.ts"],
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          testTimeout: 30 * MINUTE_MS,
          hookTimeout: 15 * MINUTE_MS,
        },
      },
    ],
  },
});
