import type { StoredRecord } from "@sampan/store";
import type { App } from "@sampan/template";
import { expect, test } from "vitest";
import { removeApp, switchModules, updateApp } from "./apps.ts";
import { diffRecords } from "./diff-records.ts";
import { install } from "./install.ts";
import { rollback } from "./rollback.ts";
import { shelve, shop } from "./test-shop.ts";
import { ann, type TestSite, testSite } from "./test-site.ts";
import { upgrade } from "./upgrade.ts";

const ASKED: Partial<App> = {
  parameters: { size: { type: "int", default: 3 }, password: { type: "password" } },
  modules: { front: { components: ["web"] } },
};

/** Ids of records, in the order of what was done: install 2.9, edit, upgrade to 3.0 with answers, module off, rollback of the upgrade. */
async function history(site: TestSite) {
  const act = async (done: Promise<{ readonly recordId?: string }>) => {
    const { recordId = "" } = await done;
    await site.settle();
    return await site.parts.store.records.get(recordId);
  };
  const old = await shelve(site, "2.9", ASKED);
  const installed = await act(
    install(
      site.parts,
      { by: ann, release: old, teamId: site.teamId, parameters: { password: "MARK-first" } },
      {},
    ),
  );
  const app = () => site.app("shop");
  const { spec } = await app();
  const web = { ...spec.components.web!, env: { TITLE: "Mine", SECRET: { secret: "MARK-written" } } };
  const given = { app: { ...spec, components: { ...spec.components, web } } };
  const edited = await act(updateApp(site.parts, { by: ann, app: await app(), given, answers: {} }, {}));
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  const release = await shelve(site, "3.0", ASKED);
  const wish = { by: ann, app: await app(), installation: items[0]!, release, decisions: {} };
  const parameters = { size: 5, password: "MARK-new" };
  const upgraded = await act(upgrade(site.parts, { ...wish, parameters, onFailure: "hold" }, {}));
  const answers = { modules: { on: [], off: ["front"] } };
  const switched = await act(switchModules(site.parts, { by: ann, app: await app(), answers }, {}));
  const back = { by: ann, app: await app(), record: upgraded, removeAdded: true, keepEdits: [] };
  const returned = await act(rollback(site.parts, back, {}));
  return { installed, edited, upgraded, switched, returned };
}

function lines(changes: Awaited<ReturnType<typeof diffRecords>>): string[] {
  const all = changes.map(
    ({ path, action }) => `${action} ${path.replace(/installations\.[^.]+/, "installation")}`,
  );
  return all.toSorted();
}

test("what any two records made of an app is compared, in both directions, with releases, answers and modules", async () => {
  const site = await testSite();
  const { installed, edited, upgraded, switched, returned } = await history(site);
  const diff = async (one: StoredRecord, other: StoredRecord) =>
    lines(await diffRecords(site.parts, one, other));
  expect(await diff(installed, edited)).toEqual([
    "add components.web.env.SECRET",
    "change components.web.env.TITLE",
  ]);
  expect(await diff(edited, installed)).toEqual([
    "change components.web.env.TITLE",
    "remove components.web.env.SECRET",
  ]);
  expect(await diff(edited, upgraded)).toEqual([
    "add components.web.env.LANG",
    "add components.worker",
    "change components.web.image",
    "change installation.release",
    "change parameters.password.answer",
    "change parameters.size.answer",
  ]);
  expect(await diff(upgraded, switched)).toEqual(["change modules.front.on"]);
  expect(await diff(edited, returned)).toEqual([]);
  expect(await diff(upgraded, upgraded)).toEqual([]);
  const forth = await diff(installed, upgraded);
  const back = await diff(upgraded, installed);
  const turned: Record<string, string> = { add: "remove", remove: "add", change: "change" };
  const mirror = forth.map((line) => line.replace(/^\w+/, (action) => turned[action] ?? ""));
  expect(mirror.toSorted()).toEqual(back);
});

test("a comparison shows versions and values, and no secret", async () => {
  const site = await testSite();
  const { installed, upgraded } = await history(site);
  const changes = await diffRecords(site.parts, installed, upgraded);
  const release = { before: expect.stringMatching(/^Shop 2.9 /), after: expect.stringMatching(/^Shop 3.0 /) };
  expect(changes).toContainEqual(expect.objectContaining({ what: "release", ...release }));
  expect(changes).toContainEqual(
    expect.objectContaining({ path: "parameters.size.answer", before: 3, after: 5 }),
  );
  expect(JSON.stringify(changes)).not.toContain("MARK-");
});

test("records of two apps, and a record of which it is not known what it made, are not compared", async () => {
  const site = await testSite();
  const { installed, edited } = await history(site);
  const release = await shelve(site, "2.9");
  const other = await install(site.parts, { by: ann, release, teamId: site.teamId, appName: "other" }, {});
  await site.settle();
  const stranger = await site.parts.store.records.get(other.recordId ?? "");
  const { planId: _, ...unplanned } = edited;
  for (const one of [stranger, unplanned])
    await expect(diffRecords(site.parts, installed, one)).rejects.toMatchObject({
      code: "RECORDS_UNLIKE",
      hint: expect.stringMatching(/compare/),
    });
  await removeApp(site.parts, { by: ann, app: await site.app("other") }, {});
});

test("rolling back a rollback brings back what the upgrade made", async () => {
  const site = await testSite();
  const { upgraded, returned } = await history(site);
  const wish = { by: ann, app: await site.app("shop"), record: returned, removeAdded: false, keepEdits: [] };
  const { recordId = "" } = await rollback(site.parts, wish, {});
  await site.settle();
  const again = await site.parts.store.records.get(recordId);
  expect(lines(await diffRecords(site.parts, upgraded, again))).toEqual(["change modules.front.on"]);
  expect(Object.keys((await site.app("shop")).spec.components)).toEqual(Object.keys(shop("3.0").components));
});
