import { crashing } from "@sampan/runtime";
import { expect, test } from "vitest";
import { dropLostReferences } from "./data-content.ts";
import { restoreSnapshot, takeSnapshot } from "./data-snapshots.ts";
import { desiredOf } from "./desired-of.ts";
import { install } from "./install.ts";
import { rollback } from "./rollback.ts";
import { dataReferences, fill, held, snapshotsOf } from "./test-data.ts";
import { Crash, Life } from "./test-life.ts";
import { shelve } from "./test-shop.ts";
import { ann, type TestSite, testSite } from "./test-site.ts";
import { type UpgradeWish, upgrade } from "./upgrade.ts";

/** One thing that somebody does at a site, the server dying in the middle of it. */
interface Story {
  /** What was done before, by a server that lived. */
  readonly before: (site: TestSite) => Promise<void>;
  readonly act: (site: TestSite) => Promise<unknown>;
  /** What may be observed at rest: as nothing had happened, or as all had. */
  readonly rests: readonly string[];
  /** What the database may hold then, by what rests; else its volume is not looked at. */
  readonly data?: Readonly<Record<string, readonly string[]>>;
}

const OLD = "db 1, web 1, web 2";
const NEW = "db 1, web 1, web 2, worker 1";

async function installOld(site: TestSite): Promise<void> {
  const release = await shelve(site, "2.9");
  await install(site.parts, { by: ann, release, teamId: site.teamId }, {});
  await site.settle();
}

async function upgradeNow(
  site: TestSite,
  data: Pick<UpgradeWish, "capture" | "restoreOnReturn"> = {},
): Promise<void> {
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" });
  const library = await site.parts.store.releases.list({ templateId: "shop-template" });
  const release = library.items.find((one) => one.version === "3.0")!.digest;
  const installation = items[0]!;
  await upgrade(
    site.parts,
    { by: ann, app, installation, release, decisions: {}, onFailure: "return", ...data },
    {},
  );
  await site.settle();
}

async function installBoth(site: TestSite): Promise<void> {
  await installOld(site);
  await shelve(site, "3.0");
}

const STORIES: Readonly<Record<string, Story>> = {
  install: {
    before: async (site) => {
      await shelve(site, "2.9");
    },
    act: installOldFromLibrary,
    rests: ["", OLD],
  },
  upgrade: { before: installBoth, act: (site) => upgradeNow(site), rests: [OLD, NEW] },
  "an upgrade that goes back": {
    before: async (site) => {
      await installBoth(site);
      site.engine.script({ image: "web:3.0" }, crashing());
    },
    act: (site) => upgradeNow(site),
    rests: [OLD],
  },
  rollback: {
    before: async (site) => {
      await installBoth(site);
      await upgradeNow(site);
    },
    act: async (site) => {
      const app = await site.app("shop");
      const { items } = await site.parts.store.records.list({ kind: "all" }, { appId: app.id });
      const record = items.find((one) => one.kind === "upgrade")!;
      await rollback(site.parts, { by: ann, app, record, removeAdded: true, keepEdits: [] }, {});
      await site.settle();
    },
    rests: [NEW, OLD],
  },
  "a data snapshot": {
    before: async (site) => {
      await installOld(site);
      await write(site, "before");
    },
    act: (site) => snapshotNow(site),
    rests: [OLD],
    data: { [OLD]: ["before"] },
  },
  "putting data back": {
    before: async (site) => {
      await installOld(site);
      await write(site, "before");
      await snapshotNow(site);
      await write(site, "since");
    },
    act: async (site) => {
      const [snapshot] = await snapshotsOf(site);
      const app = await site.app("shop");
      await restoreSnapshot(site.parts, { by: ann, app, snapshotId: snapshot!.id }, {});
      await site.settle();
    },
    rests: [OLD],
    data: { [OLD]: ["before", "since"] },
  },
  "an upgrade that spoils data and goes back with it": {
    before: async (site) => {
      await installBoth(site);
      await write(site, "before");
      site.engine.script({ image: "web:3.0" }, crashing());
      site.engine.onStep = async (step, when) => {
        if (step.kind === "instance.create" && step.component === "worker" && when === "after")
          await write(site, "spoilt");
      };
    },
    act: (site) => upgradeNow(site, { capture: "all", restoreOnReturn: true }),
    rests: [OLD],
    data: { [OLD]: ["before"] },
  },
  "a rollback with data": {
    before: async (site) => {
      await installBoth(site);
      await write(site, "before");
      await upgradeNow(site, { capture: "all" });
      await write(site, "since");
    },
    act: async (site) => {
      const app = await site.app("shop");
      const { items } = await site.parts.store.records.list({ kind: "all" }, { appId: app.id });
      const record = items.find((one) => one.kind === "upgrade")!;
      const wish = { by: ann, app, record, removeAdded: true, keepEdits: [], restoreData: "record" };
      await rollback(site.parts, wish, {});
      await site.settle();
    },
    rests: [NEW, OLD],
    data: { [NEW]: ["since"], [OLD]: ["before"] },
  },
};

async function write(site: TestSite, text: string): Promise<void> {
  fill(site, (await site.app("shop")).id, { "/orders": text });
}

async function snapshotNow(site: TestSite): Promise<void> {
  await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
}

async function installOldFromLibrary(site: TestSite): Promise<void> {
  const [release] = (await site.parts.store.releases.list({ templateId: "shop-template" })).items;
  await install(site.parts, { by: ann, release: release!.digest, teamId: site.teamId }, {});
  await site.settle();
}

/** Lets the server die at a moment of the story, and another one take over. Gives the moments that it lived through. */
async function dieAt(story: Story, moment: number): Promise<readonly string[]> {
  const first = await testSite();
  await story.before(first);
  const doomed = await first.restart(new Life(moment));
  const error = await story.act(doomed).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !(error instanceof Crash)) throw error;
  const last = doomed.life.moments.at(-1);
  const next = await doomed.restart();
  await next.settle();
  await expectRest(next, story, `dead ${last} (${moment})`);
  await next.parts.store.close();
  expect(error === undefined, `died ${last}`).toBe(moment === Number.POSITIVE_INFINITY);
  return doomed.life.moments;
}

/** The right instances and no others, all serving; nothing open; every record ended; one installation at most. */
async function expectRest(site: TestSite, story: Story, when: string): Promise<void> {
  const { store, driver } = site.parts;
  const open = await store.rollouts.list({ kind: "all" }, { open: true });
  expect(open.items, `open rollouts, ${when}`).toEqual([]);
  const unended = await store.records.list({ kind: "all" }, { result: "running" });
  expect(unended.items, `records without end, ${when}`).toEqual([]);
  const [app] = (await store.apps.list({ kind: "all" })).items;
  if (app === undefined) {
    expect(await driver.listApps(), when).toEqual([]);
    expect(story.rests, when).toContain("");
    return;
  }
  const desired = await desiredOf(site.parts, app);
  const seen = await driver.observe({ id: app.id, images: [] });
  const right = desired?.components.flatMap(({ name, replicas, specDigest }) =>
    Array.from({ length: replicas }, (_, at) => `${name} ${at + 1} ready true ${specDigest}`),
  );
  const found = seen.instances.map(
    (one) => `${one.component} ${one.index} ${one.state} ${one.serving} ${one.specDigest}`,
  );
  expect(found.toSorted(), when).toEqual(right?.toSorted());
  const names = seen.instances.map((one) => `${one.component} ${one.index}`).toSorted();
  expect(story.rests, when).toContain(names.join(", "));
  if (story.data !== undefined) {
    expect(story.data[names.join(", ")], when).toContain(held(site, app.id)["/orders"]);
    await expectDataRest(site, when);
  }
  const installations = await store.installations.list({ kind: "all" });
  expect(installations.items, when).toMatchObject([{ state: "installed", appId: app.id }]);
}

/** No snapshot is left half taken, and the hold keeps data of those that are whole and of no others. */
async function expectDataRest(site: TestSite, when: string): Promise<void> {
  // As pruning does: what a server could not clear away any more belongs to nothing.
  await dropLostReferences(site.parts);
  const snapshots = await snapshotsOf(site);
  expect(
    snapshots.map((one) => one.state).filter((state) => state === "taking"),
    when,
  ).toEqual([]);
  const whole = snapshots.filter((one) => one.state === "complete").map((one) => `data/${one.id}`);
  expect(await dataReferences(site), when).toEqual(whole.toSorted());
}

for (const [name, story] of Object.entries(STORIES)) {
  test(`a server that dies at any moment of ${name} leaves what the next one brings to its end`, async () => {
    const moments = await dieAt(story, Number.POSITIVE_INFINITY);
    expect(moments.length).toBeGreaterThan(20);
    // To die before a write is to die after the one before it.
    for (const [at, what] of moments.entries())
      if (at === 0 || what.startsWith("after")) await dieAt(story, at + 1);
  }, 300_000);
}
