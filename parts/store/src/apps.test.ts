import { describe, expect, test } from "vitest";
import type { Change } from "./change.ts";
import { bookshop, everything, noValues, openStoreWithApp } from "./test-store.ts";

const newApp = { spec: bookshop, values: noValues };

describe("apps", () => {
  test("an app comes back as it was given", async () => {
    const { store, app, team } = await openStoreWithApp();
    expect(await store.apps.get(app.id)).toEqual({
      id: app.id,
      teamId: team.id,
      name: "bookshop",
      slug: "shop-bookshop",
      spec: bookshop,
      values: { ...noValues, generated: { "db.PASSWORD": "s3cret" } },
      modules: {},
      generation: 1,
      stopped: false,
      createdAt: "2026-01-01T00:00:00.000Z",
      updatedAt: "2026-01-01T00:00:00.000Z",
    });
    expect((await store.apps.list(everything)).items[0]).not.toHaveProperty("spec");
    expect(await store.apps.findByName(team.id, "bookshop")).toMatchObject({ id: app.id });
    expect(await store.apps.findByName(team.id, "other")).toBeUndefined();
  });

  test("names are unique in a team, slugs at the site, and the team must be there", async () => {
    const { store, team } = await openStoreWithApp();
    const other = await store.teams.create({ name: "other" });
    const rows = [
      [{ teamId: team.id, name: "bookshop", slug: "x" }, "STORE_TAKEN"],
      [{ teamId: other.id, name: "bookshop", slug: "shop-bookshop" }, "STORE_TAKEN"],
      [{ teamId: "absent", name: "y", slug: "y" }, "STORE_IN_USE"],
    ] as const;
    for (const [fields, code] of rows)
      await expect(store.apps.create({ ...newApp, ...fields })).rejects.toMatchObject({ code });
    await store.apps.create({ ...newApp, teamId: other.id, name: "bookshop", slug: "other-bookshop" });
  });

  test("a change is made on the generation that was seen, once", async () => {
    const { store, app } = await openStoreWithApp();
    const changes: Change[] = [];
    store.watch((change) => changes.push(change));
    const both = await Promise.allSettled([
      store.apps.update(app.id, 1, { stopped: true }),
      store.apps.update(app.id, 1, { modules: { search: false } }),
    ]);
    expect(both.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both.find((one) => one.status === "rejected")).toMatchObject({ reason: { code: "STORE_STALE" } });
    expect((await store.apps.get(app.id)).generation).toBe(2);
    expect(changes).toEqual([{ noun: "app", id: app.id, act: "updated", teamId: app.teamId, appId: app.id }]);
    await expect(store.apps.update("absent", 1, {})).rejects.toMatchObject({ code: "STORE_ABSENT" });
  });

  test("a change touches only what it names", async () => {
    const { store, app } = await openStoreWithApp();
    const changed = await store.apps.update(app.id, 1, { title: "Books", modules: { search: true } });
    expect(changed).toEqual({ ...app, title: "Books", modules: { search: true }, generation: 2 });
  });

  test("a person's list has the apps of their teams, a page at a time, whatever comes and goes meanwhile", async () => {
    const { store, team, app } = await openStoreWithApp();
    const other = await store.teams.create({ name: "other" });
    for (let n = 0; n < 9; n++)
      for (const teamId of [team.id, other.id])
        await store.apps.create({ ...newApp, teamId, name: `app-${n}`, slug: `${teamId}-${n}` });
    const sight = { kind: "teams", teamIds: [team.id], userId: "u" } as const;
    const first = await store.apps.list(sight, {}, { limit: 4 });
    await store.apps.remove(first.items[3]?.id ?? "");
    await store.apps.create({ ...newApp, teamId: team.id, name: "aaa", slug: "aaa" });
    const second = await store.apps.list(sight, {}, { limit: 4, after: first.next ?? "" });
    const third = await store.apps.list(sight, {}, { limit: 4, after: second.next ?? "" });
    const names = [first, second, third].flatMap((page) => page.items.map((one) => one.name));
    expect(names).toEqual([...Array.from({ length: 9 }, (_, n) => `app-${n}`), app.name]);
    expect(third.next).toBeUndefined();
    expect((await store.apps.list(everything, { teamId: other.id })).items).toHaveLength(9);
  });

  test.each(["", "x", "W10", "WzEsMl0tMw", Buffer.from('["a"]').toString("base64url"), "x".repeat(3000)])(
    "a cursor that no page gave is refused: %s",
    async (after) => {
      const { store } = await openStoreWithApp();
      await expect(store.apps.list(everything, {}, { after })).rejects.toMatchObject({
        code: "STORE_CURSOR_INVALID",
      });
    },
  );

  test("a team with apps stays", async () => {
    const { store, team, app } = await openStoreWithApp();
    await expect(store.teams.remove(team.id)).rejects.toMatchObject({ code: "STORE_IN_USE" });
    await store.apps.remove(app.id);
    await store.teams.remove(team.id);
  });

  test("a document beyond the limit is refused and changes nothing", async () => {
    const { store, app } = await openStoreWithApp();
    const spec = { ...bookshop, summary: "x".repeat(17 * 1024 * 1024) };
    await expect(store.apps.update(app.id, 1, { spec })).rejects.toMatchObject({ code: "STORE_TOO_LARGE" });
    expect(await store.apps.get(app.id)).toEqual(app);
  });
});
