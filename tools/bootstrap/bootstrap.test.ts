import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isDebianLike } from "./debian.mjs";
import { absentPackages } from "./dependencies.mjs";
import { Failure, renderFailure } from "./failure.mjs";
import { checkMachine, isAtLeast } from "./packaged-node.mjs";
import { childEnvironment } from "./run-child.mjs";

const linux = { platform: "linux", arch: "x64" };

const lockRows = [
  ["all is there", { version: "1.0.0", integrity: "i" }, { version: "1.0.0", integrity: "i" }, []],
  ["it is absent", { version: "1.0.0" }, undefined, ["node_modules/a"]],
  ["its version differs", { version: "1.0.0" }, { version: "1.0.1" }, ["node_modules/a"]],
  [
    "its content differs",
    { version: "1.0.0", integrity: "i" },
    { version: "1.0.0", integrity: "j" },
    ["node_modules/a"],
  ],
  ["it is for another system", { version: "1.0.0", os: ["darwin"] }, undefined, []],
  ["it is for another processor", { version: "1.0.0", os: ["linux"], cpu: ["arm64"] }, undefined, []],
  ["it is for another C library", { version: "1.0.0", os: ["linux"], libc: ["musl"] }, undefined, []],
  ["npm left an optional one out", { version: "1.0.0", optional: true }, undefined, []],
  [
    "the optional one for this machine is absent",
    { version: "1.0.0", optional: true, os: ["linux"] },
    undefined,
    ["node_modules/a"],
  ],
] as const;

test.for(lockRows)("a package is judged rightly when %s", ([, wanted, installed, absent]) => {
  const lock = { packages: { "": {}, "core/room": {}, "node_modules/a": wanted } };
  const held = installed === undefined ? undefined : { packages: { "node_modules/a": installed } };
  expect(absentPackages(lock, held, linux)).toEqual(absent);
});

const machineRows = [
  ["Linux on x64 with an old Node", { ...linux, nodeVersion: "20.20.2", glibcVersion: "2.36" }, true],
  [
    "Linux with a C library that is too old",
    { ...linux, nodeVersion: "20.20.2", glibcVersion: "2.17" },
    false,
  ],
  ["Linux with another C library", { ...linux, nodeVersion: "20.20.2", glibcVersion: undefined }, false],
  [
    "another system with an old Node",
    { platform: "darwin", arch: "arm64", nodeVersion: "24.14.9", glibcVersion: undefined },
    false,
  ],
  [
    "another system with a new Node",
    { platform: "darwin", arch: "arm64", nodeVersion: "24.15.0", glibcVersion: undefined },
    true,
  ],
] as const;

test.for(machineRows)("%s is judged rightly", ([, machine, fit]) => {
  if (fit) checkMachine(machine);
  else expect(() => checkMachine(machine)).toThrow(expect.objectContaining({ code: "NODE_TOO_OLD" }));
});

test("versions compare by number, missing parts as zero", () => {
  expect(isAtLeast("24.15.0", "24.15.0")).toBe(true);
  expect(isAtLeast("24.9.0", "24.15.0")).toBe(false);
  expect(isAtLeast("26.0.0-rc.1", "24.15.0")).toBe(true);
  expect(isAtLeast("2.28", "2.28")).toBe(true);
});

const releases = [
  ['ID=debian\nVERSION_ID="12"', true],
  ["ID=ubuntu\nID_LIKE=debian", true],
  ['ID="mint"\nID_LIKE="ubuntu debian"', true],
  ["ID=fedora", false],
  ["NAME=debian", false],
  ["", false],
] as const;

test.for(releases)("%j is known as Debian or not", ([text, expected]) => {
  expect(isDebianLike(text)).toBe(expected);
});

test("a failure is three lines: what, why, fix", () => {
  const failure = new Failure("ENGINE_ABSENT", "no engine", { why: "none answers", fix: "start one" });
  expect(renderFailure(failure)).toBe(
    "error[ENGINE_ABSENT]: no engine\n  why: none answers\n  fix: start one",
  );
});

test("a thread pool size that the user chose is kept", () => {
  const options = { root: "/sampan", dockerHost: undefined };
  expect(childEnvironment({ UV_THREADPOOL_SIZE: "3" }, options).UV_THREADPOOL_SIZE).toBe("3");
  expect(Number(childEnvironment({}, options).UV_THREADPOOL_SIZE)).toBeGreaterThanOrEqual(8);
});

test("an unknown verb is refused with the known ones", () => {
  const run = spawnSync(process.execPath, [join(import.meta.dirname, "..", "run.mjs"), "fly"], {
    encoding: "utf8",
  });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("error[VERB_UNKNOWN]: there is no fly here");
});

const childModule = JSON.stringify(join(import.meta.dirname, "run-child.mjs"));

function runInChild(source: string) {
  const program =
    `const { runChild } = await import(${childModule});` +
    `process.exitCode = await runChild(process.execPath, ["-e", ${JSON.stringify(source)}], { cwd: ".", env: process.env });`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

test("the exit code of what is run is passed on", async () => {
  expect(await once(runInChild("process.exit(7)"), "exit")).toEqual([7, null]);
});

test("a signal reaches what is run, which ends in its own way", async () => {
  const child = runInChild(
    "process.on('SIGTERM', () => process.exit(5)); console.log('ready'); setInterval(() => {}, 1000);",
  );
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([5, null]);
});
