import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BundleFiles } from "@sampan/delivery";
import { openHold } from "@sampan/hold";
import { openStore } from "@sampan/store";
import { expect, onTestFinished, test } from "vitest";
import { housekeep } from "./housekeeping.ts";

const DAY_MS = 86_400_000;

async function house() {
  const folder = await mkdtemp(join(tmpdir(), "sampan-house-"));
  let nowMs = Date.UTC(2026, 0, 1);
  let ids = 0;
  const seal = { seal: (text: string) => text, open: (text: string) => text };
  const store = await openStore({
    path: join(folder, "store.sqlite"),
    now: () => new Date(nowMs),
    newId: () => `id${++ids}`,
    seal,
  });
  onTestFinished(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const hold = await openHold({ folder: join(folder, "hold") });
  onTestFinished(() => hold.close());
  const files = new BundleFiles({
    folder: join(folder, "bundles"),
    importFrom: [],
    now: () => new Date(nowMs).toISOString(),
  });
  const backupsFolder = join(folder, "backups");
  const troubles: string[] = [];
  const options = { backupsFolder, onTrouble: (what: string) => void troubles.push(what) };
  return {
    store,
    hold,
    files,
    troubles,
    backupsFolder,
    keep: () => housekeep({ store, hold, files, nowMs: () => nowMs }, options),
    backups: async () => (await readdir(backupsFolder)).toSorted(),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

test("the database is copied once a day, and seven copies are kept", async () => {
  const { keep, backups, pass } = await house();
  await keep();
  await keep();
  expect(await backups()).toEqual(["sampan-2026-01-01.sqlite"]);
  for (let day = 0; day < 9; day++) {
    pass(DAY_MS);
    await keep();
  }
  expect(await backups()).toHaveLength(7);
  expect(await backups()).toContain("sampan-2026-01-10.sqlite");
  expect(await backups()).not.toContain("sampan-2026-01-03.sqlite");
});

test("a clock that was set back neither stops the copies nor takes the new one away", async () => {
  const { keep, backups, pass } = await house();
  for (let day = 0; day < 8; day++) {
    await keep();
    pass(DAY_MS);
  }
  pass(-400 * DAY_MS);
  await keep();
  expect(await backups()).toContain("sampan-2024-12-05.sqlite");
  expect(await backups()).toHaveLength(7);
});

test("what else lies in the folder of the copies is let alone", async () => {
  const { keep, backups, backupsFolder, pass } = await house();
  await mkdir(backupsFolder);
  await writeFile(join(backupsFolder, "my-own-copy.sqlite"), "");
  for (let day = 0; day < 9; day++) {
    pass(DAY_MS);
    await keep();
  }
  expect(await backups()).toContain("my-own-copy.sqlite");
});

test("tokens that expired and uploads that nobody goes on with are dropped after their time", async () => {
  const { keep, store, files, pass } = await house();
  const user = await store.users.create({ name: "ann", passwordHash: "x", administrator: false });
  const token = { userId: user.id, kind: "session" as const, label: "" };
  await store.tokens.create({ ...token, hash: "a", expiresAt: "2026-01-02T00:00:00.000Z" });
  await store.tokens.create({ ...token, hash: "b", expiresAt: "2027-01-02T00:00:00.000Z" });
  await files.beginUpload({ id: "bdl_1", name: "x.sampan", sizeBytes: 10 });
  pass(6 * DAY_MS);
  await keep();
  expect((await store.tokens.list(user.id, "session")).items).toHaveLength(1);
  expect(await files.list()).toHaveLength(1);
  pass(2 * DAY_MS);
  await keep();
  expect(await files.list()).toEqual([]);
});

test("one part that fails is told, and the others are done", async () => {
  const { keep, files, troubles, backupsFolder } = await house();
  await writeFile(backupsFolder, "in the way");
  await files.beginUpload({ id: "bdl_1", name: "x.sampan", sizeBytes: 10 });
  await keep();
  expect(troubles).toEqual(["back the database up"]);
});

test("what protects data that no snapshot owns is let go", async () => {
  const { hold, keep } = await house();
  const target = {
    mediaType: "application/octet-stream",
    digest: `sha256:${"a".repeat(64)}`,
    size: 1,
  } as const;
  await hold.setReference("data/snp_gone", target);
  await hold.setReference("release/kept", target);
  await keep();
  expect((await hold.listReferences("", { limit: 10 })).map(({ name }) => name)).toEqual(["release/kept"]);
});
