import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import {
  assertProblem,
  fillDisk,
  flipped,
  makeForeignImage,
  mountSmallDisk,
  notBundles,
  occupyPort,
  stateOf,
  truncated,
  untilUnderWay,
} from "./src/bad-input.ts";
import { REPOSITORY } from "./src/clean-environment.ts";
import type { SampanServer } from "./src/sampan-server.ts";
import { chooseSeed, seededRandom } from "./src/seeded-random.ts";
import { smallApp } from "./src/small-app.ts";
import { TwoSides } from "./src/two-sides.ts";
import { assertContainers, assertNoOrphans, untilJobsEnded, untilSettled } from "./src/witness.ts";

/** What must not work: each gets a problem with its code and exit code, and leaves everything as it was. */

const EXIT = { failed: 1, usage: 2, refused: 3, absent: 4, conflict: 5, damaged: 6, outside: 7 } as const;
const DAMAGED = { exitCode: EXIT.damaged, codes: ["BUNDLE_INVALID", "BUNDLE_TRUNCATED", "BUNDLE_DAMAGED"] };
const [FIRST, SECOND] = smallApp.versions;
const NO_SPACE = /NO_SPACE|DISK_FULL/;
const NOTE = ["--note", "the bad-input journey"];
const FLIPS = 12;
const MEBIBYTE = 1024 * 1024;

const seed = chooseSeed();
const random = seededRandom(seed);
let sides: TwoSides;
let site: SampanServer;
let folder: string;
let bundle: string;

beforeAll(async () => {
  console.log(`bad-input journey: SEED=${seed}`);
  sides = await TwoSides.open();
  await sides.setUpVendor();
  await sides.load(smallApp);
  site = await sides.newSite("site");
  folder = join(sides.stick, "bad");
  await mkdir(folder);
  bundle = sides.bundlePath(smallApp, FIRST);
});

afterAll(async () => {
  await sides?.[Symbol.asyncDispose]();
});

/** Runs a command that must be refused, and compares all that it must leave alone. */
async function refused(words: readonly string[], expected: Parameters<typeof assertProblem>[1]) {
  const before = await stateOf(site);
  const told = assertProblem(await site.cli(words), expected);
  await untilJobsEnded(site);
  assert.deepEqual(await stateOf(site), before, `${words.join(" ")} changed something`);
  return told;
}

test("a file that is no bundle is refused, from the stick and as an upload", async () => {
  for (const path of await notBundles(folder)) {
    await refused(["import", path, "--on-server"], DAMAGED);
    await refused(["import", path], DAMAGED);
  }
  await refused(["import", join(folder, "absent.sampan"), "--on-server"], {
    exitCode: EXIT.absent,
    codes: ["BUNDLE_FILE_ABSENT", "BUNDLE_ABSENT"],
  });
});

test("a path outside of where sticks are plugged in is refused", async () => {
  const codes = ["BUNDLE_FILE_ABSENT"];
  await refused(["import", "/etc/passwd", "--on-server"], { exitCode: EXIT.absent, codes });
  await refused(["import", join(sides.stick, "../../etc/passwd"), "--on-server"], {
    exitCode: EXIT.absent,
    codes,
  });
});

test("a bundle that ends too early is refused wherever it ends", async () => {
  for (const share of [0.0001, 0.01, 0.3, 0.7, 0.999, 0.99999]) {
    const path = await truncated(bundle, folder, share);
    await refused(["import", path, "--on-server"], DAMAGED);
    await rm(path);
  }
});

test("a bundle with one flipped bit is refused wherever it is", async () => {
  for (let flip = 0; flip < FLIPS; flip += 1) {
    const path = await flipped(bundle, folder, flip === 0 ? 0.00001 : random());
    await refused(["import", path, "--on-server"], {
      exitCode: EXIT.damaged,
      codes: [...DAMAGED.codes, "BUNDLE_SIGNATURE_INVALID", "BUNDLE_TOO_NEW"],
    });
    await rm(path);
  }
});

test("a bundle whose signer is not trusted is refused", async () => {
  const { items } = await site.client().listKeys();
  const vendor = items.find(({ own }) => !own);
  await site.do(["key", "distrust", vendor?.keyId ?? ""]);
  await refused(["import", bundle, "--on-server"], { exitCode: EXIT.refused, codes: ["BUNDLE_UNTRUSTED"] });
  await sides.trustVendor(site);
});

test("an app.yaml with twenty faults gets all twenty, with path and line", async () => {
  const path = join(REPOSITORY, "core/template/testdata/twenty-faults.yaml");
  const told = await refused(["apply", "-f", path], { exitCode: EXIT.usage, codes: ["TEMPLATE_INVALID"] });
  assert.equal(told.faults?.length, 20);
  for (const { line, message } of told.faults ?? []) assert.ok((line ?? 0) > 0 && message !== "");
});

test("an image for another processor is refused", async () => {
  const image = await makeForeignImage(site.place.dockerHost, folder);
  const path = join(folder, "foreign.yaml");
  const lines = ["apiVersion: sampan/v1", "kind: App", "name: foreign", "components:", "  hello:"];
  await writeFile(path, [...lines, "    kind: stateless", `    image: ${image}`, ""].join("\n"));
  await refused(["apply", "-f", path], {
    exitCode: EXIT.refused,
    codes: ["PLATFORM_UNFIT", "RUNTIME_WRONG_ARCHITECTURE"],
  });
});

test("the good bundle is imported after all that", async () => {
  await site.do(["import", bundle, "--on-server"]);
  await assertNoOrphans(site);
});

test("a port that somebody else has is named beforehand; whoever goes on all the same is told by the engine", async () => {
  const port = 8080;
  const install = ["install", smallApp.name, ...NOTE];
  const isNamed = new RegExp(`\\b${port}\\b`);
  await using _stranger = await occupyPort(sides.sitePlace, port);
  const foretold = await refused(install, { exitCode: EXIT.refused, codes: ["CLI_PREFLIGHT_FAILED"] });
  assert.ok(
    foretold.faults?.some(({ message }) => isNamed.test(message)),
    "the port is named",
  );
  const told = assertProblem(await site.cli([...install, "--ignore-preflight"]), {
    exitCode: EXIT.failed,
    codes: /ROLLOUT_FAILED|PORT_TAKEN/,
  });
  assert.match(told.why ?? "", isNamed, "the port is named");
});

test("the installation works once the port is free", async () => {
  const { items } = await site.client().listApps();
  if (items.length > 0) await site.do(["app", "remove", smallApp.name]);
  await site.do(["install", smallApp.name, ...NOTE]);
  await assertContainers(site, smallApp, await smallApp.images(sides.vendor.place.dockerHost, FIRST));
});

test("a port that another app of the site has is refused beforehand", async () => {
  await refused(["install", smallApp.name, "--app", "second", ...NOTE], {
    exitCode: EXIT.conflict,
    codes: ["HOST_PORT_TAKEN"],
  });
});

test("an engine that is down is said to be, and all runs again when it is back", async () => {
  await sides.sitePlace.stopDaemon();
  try {
    const { engine } = await site.do<{ readonly engine: { readonly reachable: boolean } }>(["site"]);
    assert.equal(engine.reachable, false);
    await refused(["component", "scale", smallApp.name, "api", "1"], {
      exitCode: EXIT.outside,
      codes: ["RUNTIME_UNREACHABLE"],
    });
  } finally {
    await sides.sitePlace.startDaemon();
  }
  await untilSettled(site, smallApp.name);
  await assertContainers(site, smallApp, await smallApp.images(sides.vendor.place.dockerHost, FIRST));
});

test("a disk that fills up in the middle of an import fails it, and it goes on when there is room", async () => {
  await site.stop();
  const data = join(sides.story.path, "full-hold-data");
  const disk = await mountSmallDisk(join(data, "hold"), 256 * MEBIBYTE);
  const other = await sides.newSite("full-hold", { dataFolder: data });
  const path = sides.bundlePath(smallApp, SECOND);
  const { jobId } = await other.client().importBundle({
    body: { source: { path }, throttleBytesPerSecond: 8 * MEBIBYTE },
  });
  await untilUnderWay(other, jobId, "packs");
  const somebodysFile = await fillDisk(disk);
  await untilJobsEnded(other);
  const failed = await other.client().getJob({ params: { id: jobId } });
  assert.equal(failed.state, "failed");
  assert.match(failed.error?.code ?? "", NO_SPACE);
  assert.deepEqual((await other.client().listTemplates()).items, []);
  await somebodysFile[Symbol.asyncDispose]();
  await other.do(["job", "resume", jobId]);
  await untilJobsEnded(other);
  await other.do(["release", "show", `${smallApp.name}@${SECOND}`]);
  await assertNoOrphans(other);
  await other.stop();
});

test("a server whose whole disk is full says so, and works again when there is room", async () => {
  const disk = await mountSmallDisk(join(sides.story.path, "small-disk"), 256 * MEBIBYTE);
  const other = await sides.newSite("full-disk", { dataFolder: join(disk, "data") });
  const words = ["import", sides.bundlePath(smallApp, SECOND), "--on-server"];
  const somebodysFile = await fillDisk(disk);
  const told = assertProblem(await other.cli(words), { exitCode: EXIT.outside, codes: NO_SPACE });
  assert.notEqual(told.message, "");
  await somebodysFile[Symbol.asyncDispose]();
  await other.do(words);
  await assertNoOrphans(other);
  await other.stop();
});
