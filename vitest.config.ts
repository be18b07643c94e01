import { defineConfig } from "vitest/config";

const FLOORS = ["core", "parts", "delivery", "apps", "tools"];
const NEEDS_ENGINE = ["docker", "skopeo"];
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
          exclude: NEEDS_ENGINE.map((kind) => `**/*.${kind}.test.ts`),
          sequence: { groupOrder: 0 },
          testTimeout: MINUTE_MS / 2,
        },
      },
      {
        extends: true,
        test: {
          name: "docker",
          include: NEEDS_ENGINE.flatMap((kind) => FLOORS.map((floor) => `${floor}/**/*.${kind}.test.ts`)),
          sequence: { groupOrder: 1 },
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
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          testTimeout: 30 * MINUTE_MS,
          hookTimeout: 15 * MINUTE_MS,
        },
      },
    ],
  },
});
