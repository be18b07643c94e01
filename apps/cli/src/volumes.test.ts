import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Answers, type Asked, problemReply, runAgainst } from "./test-outside.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
/** A bundle of format 1 in four volumes. */
const SAMPLES = join(ROOT, "parts/bundle/testdata/v1");
const sample = (number: number) => join(SAMPLES, `hold-volumes.vol0${number}.sampan`);

async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sampan-volumes-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The second volume, with one byte turned where its packs are. */
async function damagedIn(folder: string): Promise<string> {
  const bytes = await readFile(sample(2));
  const at = bytes.length - 3000;
  bytes[at] = bytes[at]! ^ 1;
  const path = join(folder, "damaged.vol02.sampan");
  await writeFile(path, bytes);
  return path;
}

test("inspect and verify say which volume a file is, and how large the others are", async () => {
  const shown = await runAgainst({}, ["bundle", "inspect", sample(2)]);
  expect([shown.exitCode, shown.out]).toEqual([
    0,
    expect.stringMatching(/^volume 2 of 4 \(1: .*, 4: .*\)$/m),
  ]);
  const verified = await runAgainst({}, ["bundle", "verify", sample(3), "--json"]);
  expect(JSON.parse(verified.out)).toMatchObject({ part: { kind: "volume", number: 3 } });
  const increment = await runAgainst({}, ["bundle", "verify", join(SAMPLES, "hold-increment.sampan")]);
  expect(increment.out).toMatch(/^builds on .*, one of which the site must hold$/m);
  expect(increment.out).toMatch(/^not proven here: \d+ layers and \d+ pieces/m);
});

test("a damaged volume is asked for in one line, and answered from a copy, without a server", async () => {
  const folder = await tempFolder();
  const damaged = await damagedIn(folder);
  const named = await runAgainst({}, ["bundle", "verify", damaged]);
  expect([named.exitCode, named.err]).toEqual([6, expect.stringContaining("volume 2 of 4 is damaged")]);
  expect(named.err).toContain("sampan bundle repair-request");
  const asked = await runAgainst({}, ["bundle", "repair-request", damaged]);
  expect([asked.exitCode, asked.out]).toEqual([
    0,
    expect.stringMatching(/^sampan-repair 1 [0-9a-f]{16} \d+$/),
  ]);
  expect(asked.err).toContain("in volume 2");
  const lost = await runAgainst({}, ["bundle", "repair-request", damaged, "--lost", "--json"]);
  const { missing } = JSON.parse(lost.out) as { readonly missing: readonly { readonly volume: number }[] };
  expect([...new Set(missing.map(({ volume }) => volume))]).toEqual([1, 2, 3, 4]);
  const whole = await runAgainst({}, ["bundle", "repair-request", sample(1)]);
  expect([whole.exitCode, whole.out]).toEqual([0, "Nothing is damaged in what was given."]);

  const request = join(folder, "request.txt");
  await runAgainst({}, ["bundle", "repair-request", damaged, "-o", request]);
  expect(await readFile(request, "utf8")).toBe(`${asked.out}\n`);
  const repair = join(folder, "repair.sampan");
  for (const words of [request, asked.out.toUpperCase()]) {
    const made = await runAgainst({}, ["bundle", "repair", words, SAMPLES_OF_ONE, "-o", repair, "--yes"]);
    expect([made.exitCode, made.out]).toEqual([0, expect.stringContaining(": 1 parts")]);
  }
  expect((await runAgainst({}, ["bundle", "inspect", repair])).out).toContain("a repair: ");
  const healed = await runAgainst({}, ["bundle", "repair-request", damaged, repair]);
  expect(healed.out).toBe("Nothing is damaged in what was given.");
  const elsewhere = await runAgainst({}, ["bundle", "repair", request, sample(1), "-o", repair, "--yes"]);
  expect([elsewhere.exitCode, elsewhere.err]).toEqual([5, expect.stringContaining("give volume 2 too")]);
  const nonsense = await runAgainst({}, ["bundle", "repair", "sampan-repair x", sample(2)]);
  expect([nonsense.exitCode, nonsense.err]).toEqual([2, expect.stringContaining("BUNDLE_REQUEST_INVALID")]);
});
const SAMPLES_OF_ONE = sample(2);

type Reply = Readonly<Record<string, unknown>>;

/** Takes uploads in, and ends each import as it is told. */
function importServer(results: readonly (Reply | Response)[]): Answers {
  const sizes = new Map<string, number>();
  const answers: Record<string, unknown> = {
    "GET /keys": { items: [] },
    "GET /bundles": { items: [] },
    "POST /bundles": ({ body }: Asked) => {
      const { sizeBytes } = body as { readonly sizeBytes: number };
      const id = `bdl_${sizes.size + 1}`;
      sizes.set(id, sizeBytes);
      const file = { id, sizeBytes, receivedBytes: 0, state: "uploading" };
      answers[`GET /bundles/${id}`] = file;
      answers[`PATCH /bundles/${id}/content`] = { ...file, receivedBytes: sizeBytes, state: "whole" };
      answers[`DELETE /bundles/${id}`] = undefined;
      return file;
    },
    "POST /bundles/inspect": { releases: [], signatures: [], wants: [], sizeBytes: 1 },
    "POST /bundles/import": () => ({ jobId: `job_${sizes.size}` }),
  };
  for (const [index, result] of results.entries())
    answers[`GET /jobs/job_${index + 1}`] =
      result instanceof Response ? result : { state: "succeeded", result };
  return answers;
}

const waiting = (number: number, ...missing: number[]) => ({
  complete: false,
  missing,
  part: { kind: "volume", number, volumes: 4 },
  releases: [],
});
const DONE = {
  complete: true,
  missing: [],
  releases: [{ templateName: "Shop", version: "2.0" }],
  copiedBytes: 5,
  skippedBytes: 5,
};
const uploads = (asked: readonly Asked[]) =>
  asked.flatMap(({ method, path, body }) =>
    method === "POST" && path === "/bundles" ? [(body as { readonly name: string }).name] : [],
  );

test("one volume is kept, and the others are said to be still to come: nothing failed", async () => {
  const server = importServer([waiting(3, 1, 2, 4)]);
  const ran = await runAgainst(server, ["import", sample(3), "--allow-unsigned"]);
  expect([ran.exitCode, ran.out]).toEqual([
    0,
    "hold-volumes.vol03.sampan is verified and kept; nothing is in the library yet.\n" +
      "Still to come: volumes 1, 2 and 4 of 4, in any order and on any day.",
  ]);
  const argv = ["import", sample(3), "--allow-unsigned", "--json"];
  const json = await runAgainst(importServer([waiting(3, 1, 2, 4)]), argv);
  expect(JSON.parse(json.out)).toMatchObject({ complete: false, missing: [1, 2, 4] });
});

test("a folder is taken volume by volume, without those that came before", async () => {
  const folder = await tempFolder();
  for (const number of [1, 2, 3, 4])
    await copyFile(sample(number), join(folder, `hold-volumes.vol0${number}.sampan`));
  await writeFile(join(folder, "._hold-volumes.vol01.sampan"), "what some systems leave");
  await writeFile(join(folder, "readme.txt"), "no bundle");
  // The third came last week.
  const server = importServer([waiting(1, 2, 4), waiting(2, 4), DONE]);
  const ran = await runAgainst(server, ["import", folder, "--allow-unsigned"]);
  expect(ran.exitCode).toBe(0);
  expect(uploads(ran.asked).map((name) => name.slice(0, 18))).toEqual([
    "hold-volumes.vol01",
    "hold-volumes.vol02",
    "hold-volumes.vol04",
  ]);
  expect(new Set(uploads(ran.asked).map((name) => name.split(".").at(-2))).size).toBe(3);
  expect(ran.err).toContain("hold-volumes.vol03.sampan has nothing that is still wanted.");
  expect(ran.out).toContain("Imported Shop@2.0 from hold-volumes.vol04.sampan");
  const empty = await runAgainst(server, ["import", await tempFolder(), "--allow-unsigned"]);
  expect([empty.exitCode, empty.err]).toEqual([2, expect.stringContaining("there is no bundle in")]);
});

test("a damaged file does not keep the others from being taken; a repair goes first", async () => {
  const folder = await tempFolder();
  const damaged = await damagedIn(folder);
  const repair = join(folder, "repair.sampan");
  const { out: request } = await runAgainst({}, ["bundle", "repair-request", damaged]);
  await runAgainst({}, ["bundle", "repair", request, sample(2), "-o", repair]);
  const broken = { code: "BUNDLE_DAMAGED", title: "volume 2 of 4 is damaged" };
  const failed = Response.json({ state: "failed", title: "Import", error: broken });
  const files = [sample(4), damaged, sample(1)];
  const server = importServer([waiting(1, 2, 3, 4), failed, waiting(4, 2, 3)]);
  const ran = await runAgainst(server, ["import", ...files, "--allow-unsigned"]);
  expect([ran.exitCode, ran.err]).toEqual([
    6,
    expect.stringContaining("error[BUNDLE_DAMAGED]: volume 2 of 4"),
  ]);
  expect(uploads(ran.asked).map((name) => name.slice(0, 18))).toEqual([
    "hold-volumes.vol01",
    expect.stringMatching(/^damaged\.vol02\./),
    "hold-volumes.vol04",
  ]);
  const healed = importServer([{ ...waiting(2, 2), part: { kind: "repair", volumes: 4 } }, DONE]);
  const argv = ["import", damaged, repair, "--allow-unsigned", "--json"];
  const { exitCode, out, asked } = await runAgainst(healed, argv);
  expect([exitCode, JSON.parse(out).complete]).toEqual([0, true]);
  expect(uploads(asked)[0]).toMatch(/^repair\./);
});

const RELEASE = { digest: "sha256:1", templateName: "Shop", version: "3.0", templateId: "shop" };

/** Has made two volumes. */
function exportServer(): Answers {
  const content = Buffer.from("the bytes of a volume");
  const sha256 = createHash("sha256").update(content).digest("hex");
  const names = ["Shop-3.0.vol01.sampan", "Shop-3.0.vol02.sampan"];
  const ids = ["bdl_1", "bdl_1-v02"];
  const files = ids.map((fileId, at) => ({ fileId, name: names[at], sizeBytes: content.length, sha256 }));
  const answers: Record<string, unknown> = {
    "GET /templates": { items: [{ id: "shop", name: "Shop", scope: "enterprise" }] },
    "GET /templates/shop": { id: "shop", name: "Shop", releaseList: [RELEASE] },
    "POST /bundles/export": { jobId: "job_1" },
    "GET /jobs/job_1": { state: "succeeded", result: { fileId: "bdl_1", files, manifestDigest: "sha256:2" } },
  };
  for (const [at, id] of ids.entries()) {
    answers[`GET /bundles/${id}`] = { id, name: names[at], sizeBytes: content.length, sha256 };
    answers[`GET /bundles/${id}/content`] = () => new Response(content);
    answers[`DELETE /bundles/${id}`] = undefined;
  }
  return answers;
}

test("an export in volumes is fetched whole, under the name that was wished", async () => {
  const folder = await tempFolder();
  await mkdir(join(folder, "stick"));
  for (const [output, stem] of [
    [join(folder, "stick"), join(folder, "stick", "Shop-3.0")],
    [join(folder, "delivery.sampan"), join(folder, "delivery")],
  ] as const) {
    const argv = ["export", "Shop@3.0", "--volume-size", "fat32", "-o", output];
    const ran = await runAgainst(exportServer(), argv);
    expect(ran.exitCode, ran.err).toBe(0);
    expect(ran.out).toContain(`${stem}.vol01.sampan`);
    expect(ran.out).toContain(`${stem}.vol02.sampan`);
    expect(ran.asked.find(({ path }) => path === "/bundles/export")?.body).toMatchObject({
      volumeSizeBytes: 4 * 1024 ** 3 - 1,
    });
    expect(ran.asked.filter(({ method }) => method === "DELETE")).toHaveLength(2);
  }
  expect((await readdir(join(folder, "stick"))).toSorted()).toEqual([
    "Shop-3.0.vol01.sampan",
    "Shop-3.0.vol02.sampan",
  ]);
  const again = await runAgainst(exportServer(), [
    ...["export", "Shop@3.0", "--volume-size", "dvd", "-o", join(folder, "stick")],
  ]);
  expect([again.exitCode, again.err]).toEqual([3, expect.stringContaining("is there already")]);
});

test.for([
  ["650MiB", 650 * 1024 ** 2],
  ["4GiB", 4 * 1024 ** 3],
  ["4.7GB", 4_700_000_000],
  ["dvd", 4_700_000_000],
  ["cd", 700_000_000],
  ["16MiB", 16 * 1024 ** 2],
] as const)("volumes of %s are wished in bytes", async ([text, bytes]) => {
  const refusing = { ...exportServer(), "POST /bundles/export/plan": problemReply(409, "SEEN", "seen") };
  const { asked } = await runAgainst(refusing, ["export", "Shop@3.0", "--plan", "--volume-size", text]);
  expect(asked.at(-1)?.body).toMatchObject({ volumeSizeBytes: bytes });
});

test.for(["15MiB", "4", "4G", "0GiB", "-1GiB", "1e9GB", "floppy", "constructor", "999999TiB"])(
  "a volume cannot be of %s",
  async (text) => {
    const { exitCode, err, asked } = await runAgainst({}, ["export", "Shop@3.0", "--volume-size", text]);
    expect([exitCode, asked]).toEqual([2, []]);
    expect(err).toContain("Give a size such as 650MiB");
  },
);
