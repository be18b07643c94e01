import { describe, expect, test } from "vitest";
import { everything, openTestStore } from "./test-store.ts";

const ann = { name: "ann", passwordHash: "hash", administrator: false };

describe("users", () => {
  test("a name is taken whatever its case, and found so", async () => {
    const { store } = await openTestStore();
    const user = await store.users.create({ ...ann, title: "Ann" });
    expect(user).toMatchObject({ name: "ann", title: "Ann", administrator: false, disabled: false });
    expect(user).not.toHaveProperty("passwordHash");
    await expect(store.users.create({ ...ann, name: "ANN" })).rejects.toMatchObject({ code: "STORE_TAKEN" });
    expect(await store.users.findByName("Ann")).toMatchObject({
      user: { id: user.id },
      passwordHash: "hash",
    });
    expect(await store.users.count()).toBe(1);
  });

  test("what is absent is said so", async () => {
    const { store } = await openTestStore();
    for (const act of [
      store.users.get("x"),
      store.users.update("x", { title: "y" }),
      store.users.remove("x"),
      store.teams.get("x"),
      store.teams.remove("x"),
      store.teams.removeMember("x", "y"),
      store.tokens.remove("x", "y"),
    ])
      await expect(act).rejects.toMatchObject({ code: "STORE_ABSENT" });
  });
});

describe("tokens", () => {
  test("a token counts until it expires, and its use is noted to the minute", async () => {
    const { store, clock } = await openTestStore();
    const user = await store.users.create(ann);
    const expiresAt = new Date(clock.now().getTime() + 3_600_000).toISOString();
    await store.tokens.create({ userId: user.id, kind: "session", hash: "h1", label: "browser", expiresAt });
    expect(await store.tokens.use("h1")).toMatchObject({
      user: { id: user.id },
      token: { label: "browser" },
    });
    const first = (await store.tokens.list(user.id, "session")).items[0]?.lastUsedAt;
    clock.pass(30_000);
    await store.tokens.use("h1");
    expect((await store.tokens.list(user.id, "session")).items[0]?.lastUsedAt).toBe(first);
    clock.pass(3_570_000);
    expect(await store.tokens.use("h1")).toBeUndefined();
    expect(await store.tokens.removeExpired()).toBe(1);
  });

  test("an unknown hash is nobody", async () => {
    const { store } = await openTestStore();
    expect(await store.tokens.use("h9")).toBeUndefined();
  });

  test.each([{ disabled: true }, { passwordHash: "other" }])(
    "%o ends all tokens of the user",
    async (change) => {
      const { store } = await openTestStore();
      const user = await store.users.create(ann);
      const other = await store.users.create({ ...ann, name: "ben" });
      await store.tokens.create({ userId: user.id, kind: "token", hash: "h1", label: "ci" });
      await store.tokens.create({ userId: other.id, kind: "token", hash: "h2", label: "ci" });
      await store.users.update(user.id, change);
      expect(await store.tokens.use("h1")).toBeUndefined();
      expect(await store.tokens.use("h2")).toBeDefined();
    },
  );

  test("a token is only its owner's to remove, and goes with its user", async () => {
    const { store } = await openTestStore();
    const user = await store.users.create(ann);
    const token = await store.tokens.create({ userId: user.id, kind: "token", hash: "h1", label: "ci" });
    await expect(store.tokens.remove("somebody", token.id)).rejects.toMatchObject({ code: "STORE_ABSENT" });
    await store.users.remove(user.id);
    expect(await store.tokens.use("h1")).toBeUndefined();
  });
});

describe("teams", () => {
  test("members have one role each, and roles are told by team", async () => {
    const { store } = await openTestStore();
    const user = await store.users.create(ann);
    const [shop, bank] = [
      await store.teams.create({ name: "shop" }),
      await store.teams.create({ name: "bank" }),
    ];
    await store.teams.setMember(shop.id, user.id, "viewer");
    await store.teams.setMember(shop.id, user.id, "developer");
    await store.teams.setMember(bank.id, user.id, "administrator");
    expect(await store.teams.rolesOf(user.id)).toEqual({
      [shop.id]: "developer",
      [bank.id]: "administrator",
    });
    expect((await store.teams.members(shop.id)).items).toMatchObject([
      { userName: "ann", role: "developer" },
    ]);
    await store.teams.removeMember(shop.id, user.id);
    expect(await store.teams.rolesOf(user.id)).toEqual({ [bank.id]: "administrator" });
    await expect(store.teams.setMember("absent", user.id, "viewer")).rejects.toMatchObject({
      code: "STORE_IN_USE",
    });
  });

  test("a person's list has their teams only", async () => {
    const { store } = await openTestStore();
    const shop = await store.teams.create({ name: "shop" });
    await store.teams.create({ name: "bank" });
    const names = async (sight: Parameters<typeof store.teams.list>[0]) =>
      (await store.teams.list(sight)).items.map((team) => team.name);
    expect(await names(everything)).toEqual(["bank", "shop"]);
    expect(await names({ kind: "teams", teamIds: [shop.id], userId: "u" })).toEqual(["shop"]);
    expect(await names({ kind: "teams", teamIds: [], userId: "u" })).toEqual([]);
  });
});
