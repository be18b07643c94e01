import type { Digest } from "@sampan/content";
import { describe, expect, test } from "vitest";
import { openStoreWithApp } from "./test-store.ts";

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

async function openLibrary() {
  const opened = await openStoreWithApp();
  const { store, clock } = opened;
  await store.templates.put({
    id: "books",
    name: "Books",
    scope: "enterprise",
    tags: ["shop"],
    origin: "published",
  });
  const release = (letter: string, version: string) => {
    clock.pass(1000);
    return store.releases.put({
      digest: digest(letter),
      templateId: "books",
      version,
      document: `{"version":"${version}"}`,
      publishedAt: clock.now().toISOString(),
    });
  };
  return { ...opened, release };
}

describe("templates", () => {
  test("putting again takes over what is shown, and keeps where it came from", async () => {
    const { store } = await openLibrary();
    const logo = { digest: digest("f"), mediaType: "image/png" };
    const again = {
      id: "books",
      name: "Bücher",
      scope: "enterprise",
      tags: [],
      logo,
      origin: "imported",
    } as const;
    expect(await store.templates.put(again)).toMatchObject({ ...again, origin: "published" });
  });

  test("the library has the enterprise's templates and those of one's teams; searching finds names and summaries", async () => {
    const { store, team } = await openLibrary();
    const other = await store.teams.create({ name: "other" });
    const mine = {
      id: "mine",
      name: "Mine",
      scope: "team",
      tags: ["shop", "new"],
      origin: "published",
    } as const;
    await store.templates.put({ ...mine, teamId: team.id, summary: "100% ours" });
    await store.templates.put({ ...mine, id: "theirs", name: "Theirs", teamId: other.id });
    const sight = { kind: "teams", teamIds: [team.id], userId: "u" } as const;
    const names = async (filter: Parameters<typeof store.templates.list>[1]) =>
      (await store.templates.list(sight, filter)).items.map((one) => one.id);
    expect(await names({})).toEqual(["books", "mine"]);
    expect(await names({ tag: "new" })).toEqual(["mine"]);
    expect(await names({ scope: "enterprise" })).toEqual(["books"]);
    expect(await names({ search: "BOO" })).toEqual(["books"]);
    expect(await names({ search: "100%" })).toEqual(["mine"]);
    expect(await names({ search: "%" })).toEqual(["mine"]);
    expect(await names({ search: "_" })).toEqual([]);
  });

  test("a team's template needs its team", async () => {
    const { store } = await openLibrary();
    const bad = { id: "x", name: "X", scope: "team", tags: [], origin: "published" } as const;
    await expect(store.templates.put(bad)).rejects.toThrow();
    await expect(store.templates.put({ ...bad, teamId: "absent" })).rejects.toMatchObject({
      code: "STORE_IN_USE",
    });
  });
});

describe("releases", () => {
  test("the same version again replaces the one that is listed, which stays known by digest", async () => {
    const { store, release } = await openLibrary();
    expect(await release("a", "1.0")).toEqual({});
    expect(await release("b", "1.0")).toMatchObject({ replaced: { digest: digest("a") } });
    await release("c", "2.0");
    const listed = async (filter = {}) =>
      (await store.releases.list({ templateId: "books", ...filter })).items.map((one) => one.digest);
    expect(await listed()).toEqual([digest("c"), digest("b")]);
    expect(await listed({ replaced: "only" })).toEqual([digest("a")]);
    expect(await listed({ replaced: "too" })).toHaveLength(3);
    expect(await store.releases.get(digest("a"))).toMatchObject({ version: "1.0", replacedBy: digest("b") });
    expect(await store.releases.find("books", "1.0")).toMatchObject({ digest: digest("b") });
    expect(await store.releases.find("books", "9")).toBeUndefined();
  });

  test("the same release again changes nothing, and one that was replaced can come back", async () => {
    const { store, release } = await openLibrary();
    await release("a", "1.0");
    expect(await release("a", "1.0")).toEqual({});
    await release("b", "1.0");
    expect(await release("a", "1.0")).toMatchObject({ replaced: { digest: digest("b") } });
    expect(await store.releases.find("books", "1.0")).toMatchObject({ digest: digest("a") });
    expect(await store.releases.get(digest("b"))).toMatchObject({ replacedBy: digest("a") });
  });

  test("removing the listed release does not bring back the one it replaced", async () => {
    const { store, release } = await openLibrary();
    await release("a", "1.0");
    await release("b", "1.0");
    await store.releases.remove(digest("b"));
    expect((await store.releases.list({ templateId: "books" })).items).toEqual([]);
    await store.releases.remove(digest("a"));
    await expect(store.releases.remove(digest("a"))).rejects.toMatchObject({ code: "STORE_ABSENT" });
  });

  test("what is installed cannot be removed", async () => {
    const { store, release, app } = await openLibrary();
    await release("a", "1.0");
    await release("b", "2.0");
    const made = await store.installations.create({
      appId: app.id,
      templateId: "books",
      releaseDigest: digest("a"),
      modules: { search: true },
      names: {},
      components: ["c-web"],
      state: "installed",
    });
    for (const act of [store.releases.remove(digest("a")), store.templates.remove("books")])
      await expect(act).rejects.toMatchObject({ code: "STORE_IN_USE" });
    const moved = await store.installations.update(made.id, { releaseDigest: digest("b") });
    expect(moved).toMatchObject({
      releaseDigest: digest("b"),
      previousDigest: digest("a"),
      components: ["c-web"],
    });
    expect(await store.installations.update(made.id, { state: "failed" })).toMatchObject({
      previousDigest: digest("a"),
      state: "failed",
    });
    const seen = await store.installations.list({ kind: "teams", teamIds: [app.teamId], userId: "u" });
    expect(seen.items).toHaveLength(1);
    expect((await store.installations.list({ kind: "teams", teamIds: [], userId: "u" })).items).toEqual([]);
    await store.apps.remove(app.id);
    await expect(store.installations.get(made.id)).rejects.toMatchObject({ code: "STORE_ABSENT" });
  });
});

test("keys are trusted until they are revoked, and can be trusted again", async () => {
  const { store } = await openStoreWithApp();
  const key = { keyId: digest("a"), name: "vendor", publicKeyPem: "PEM", addedBy: "ann" };
  await store.trustedKeys.put(key);
  expect(await store.trustedKeys.findTrusted(key.keyId)).toMatchObject(key);
  await store.trustedKeys.revoke(key.keyId);
  expect(await store.trustedKeys.findTrusted(key.keyId)).toBeUndefined();
  expect((await store.trustedKeys.list()).items).toHaveLength(1);
  await expect(store.trustedKeys.revoke(key.keyId)).rejects.toMatchObject({ code: "STORE_ABSENT" });
  await store.trustedKeys.put(key);
  expect(await store.trustedKeys.findTrusted(key.keyId)).toBeDefined();
});

test("imports are remembered newest first, with what they brought", async () => {
  const { store, clock } = await openStoreWithApp();
  for (const letter of ["a", "b"]) {
    await store.imports.add({
      bundleDigest: digest(letter),
      fileName: `${letter}.sampan`,
      sizeBytes: 5_000_000_000,
      releases: [digest("c")],
      who: "ann",
    });
    clock.pass(1000);
  }
  const { items } = await store.imports.list();
  expect(items.map((one) => one.fileName)).toEqual(["b.sampan", "a.sampan"]);
  expect(items[0]).toMatchObject({ sizeBytes: 5_000_000_000, releases: [digest("c")] });
  expect((await store.imports.list({ bundleDigest: digest("a") })).items).toHaveLength(1);
});

test("a draft keeps what was entered", async () => {
  const { store, app, clock } = await openStoreWithApp();
  const draft = await store.publishDrafts.create({ appId: app.id, startedBy: "ann", document: { a: 1 } });
  clock.pass(5);
  expect(await store.publishDrafts.update(draft.id, { a: 2 })).toMatchObject({ document: { a: 2 } });
  expect((await store.publishDrafts.list(app.id)).items).toHaveLength(1);
  await store.publishDrafts.remove(draft.id);
  await expect(store.publishDrafts.get(draft.id)).rejects.toMatchObject({ code: "STORE_ABSENT" });
});
