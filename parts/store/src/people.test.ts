import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Context } from "./context.ts";
import { storeProblem } from "./problems.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { testSeal } from "./test-seal.ts";
import { everything, openTestStore } from "./test-store.ts";
import { tokens } from "./tokens.ts";

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

  test("a full disk keeps nobody from looking: the use goes unnoted", async () => {
    const { store, path, clock } = await openTestStore();
    const user = await store.users.create(ann);
    await store.tokens.create({ userId: user.id, kind: "token", hash: "h1", label: "cli" });
    const database = new DatabaseSync(path);
    onTestFinished(() => database.close());
    const context = (fault: Error): Context => ({
      db: new Kysely({ dialect: sqliteDialect(database) }),
      now: () => clock.now().toISOString(),
      newId: () => "id",
      seal: testSeal,
      write: () => Promise.reject(fault),
      changed: () => undefined,
    });
    const full = storeProblem("STORE_NO_SPACE", "the disk of the database is full");
    expect(await tokens.use(context(full), "h1")).toMatchObject({ user: { id: user.id } });
    const busy = storeProblem("STORE_BUSY", "the database is locked by another process");
    await expect(tokens.use(context(busy), "h1")).rejects.toBe(busy);
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
