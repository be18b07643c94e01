import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { completeLock, missingEntries, platformOf } from "./complete.mjs";

test("package-lock.json names the binaries of every platform, so that npm ci accepts it", () => {
  const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));
  expect(Object.keys(missingEntries(lock))).toEqual([]);
});

const names = [
  ["@scope/cli-linux-x64", { os: ["linux"], cpu: ["x64"] }],
  ["@scope/binding-linux-arm64-musl", { os: ["linux"], cpu: ["arm64"], libc: ["musl"] }],
  ["@scope/binding-linux-arm-gnueabihf", { os: ["linux"], cpu: ["arm"], libc: ["glibc"] }],
  ["@scope/binding-win32-x64-msvc", { os: ["win32"], cpu: ["x64"] }],
  ["@scope/binding-wasm32-wasi", undefined],
  ["fsevents", undefined],
] as const;

test.for(names)("the platform of %s is read off its name", ([name, platform]) => {
  expect(platformOf(name)).toEqual(platform);
});

test("an entry that is missing is added in its place, and none is touched", () => {
  const lock = {
    packages: {
      "": {},
      "node_modules/tool": {
        version: "1.0.0",
        optionalDependencies: { "a-linux-x64": "1.0.0", "z-x64": "^1" },
      },
      "node_modules/zebra": { version: "2.0.0" },
    },
  };
  expect(Object.entries(completeLock(lock).packages)).toEqual([
    ["", {}],
    ["node_modules/a-linux-x64", { version: "1.0.0", optional: true, os: ["linux"], cpu: ["x64"] }],
    ...Object.entries(lock.packages).slice(1),
  ]);
});
