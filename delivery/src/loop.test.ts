import { expect, test } from "vitest";
import { scaleComponent } from "./apps.ts";
import { exportBundle } from "./export.ts";
import { planExport } from "./export-plan.ts";
import { historyOfSite, takeIn } from "./ledger.ts";
import { publish } from "./publish.ts";
import { makeReceipt } from "./receipt.ts";
import { makeSiteState } from "./site-state.ts";
import { startingPoints } from "./starting-points.ts";
import { carry, installAt, namedSite, release, takeBundle, upgradeAt } from "./test-loop.ts";
import { ann, quiet, running, type TestSite } from "./test-site.ts";

const by = { by: ann };
const sealed = { level: 3, unsigned: false };
let exports = 0;

/** The newest state goes to the vendor's ledger. */
async function report(site: TestSite, vendor: TestSite): Promise<void> {
  await takeIn(vendor.parts, (await makeSiteState(site.parts)).text, by);
  await takeIn(vendor.parts, (await makeReceipt(site.parts, { since: 0 })).text, by);
}

async function exportFor(vendor: TestSite, digest: `sha256:${string}`, forSites: readonly string[]) {
  const { bases } = await startingPoints(vendor.parts, { releases: [digest], forSites });
  exports += 1;
  const wish = { ...sealed, releases: [digest], bases, fileId: `bdl_for_${exports}` };
  return (await exportBundle(vendor.parts, vendor.files, wish, quiet)).file;
}

async function kindOf(vendor: TestSite, file: { readonly id: string; readonly name: string }) {
  const bundle = await vendor.parts.bundles.openBundle(vendor.files.contentPath(file.id, file.name));
  try {
    const { kind, requires, layers } = bundle.document;
    return { kind, requires: requires?.map(({ version }) => version).sort(), layers: layers.length };
  } finally {
    await bundle.close();
  }
}

test("two rounds of the loop: state, increment, upgrade, receipt, ledger, state, increment", async () => {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const first = await release(vendor, "2.9");
  await carry(vendor, site, { releases: [first] });
  await installAt(site, first);
  await report(site, vendor);

  const second = await release(vendor, "3.0");
  const small = await exportFor(vendor, second, ["harbour"]);
  expect(small.name).toBe("Shop-3.0-from-2.9.sampan");
  expect(await kindOf(vendor, small)).toEqual({ kind: "increment", requires: ["2.9"], layers: 2 });
  await takeBundle(vendor, site, small);
  await upgradeAt(site, second);
  const { id } = await site.app("shop");
  expect(await running(site, id)).toEqual(["db 1 ready", "web 1 ready", "web 2 ready", "worker 1 ready"]);
  await report(site, vendor);
  const history = await historyOfSite(vendor.parts, "harbour");
  expect(history.records.map(({ kind, to, result }) => [kind, to?.version, result])).toEqual([
    ["upgrade", "3.0", "succeeded"],
    ["install", "2.9", "succeeded"],
  ]);
  expect(history.imports.map(({ fileName }) => fileName)).toEqual([small.name, "Shop-2.9.sampan"]);

  const third = await release(vendor, "3.1", { image: "web:3.1" });
  const next = await exportFor(vendor, third, ["harbour"]);
  expect(await kindOf(vendor, next)).toEqual({ kind: "increment", requires: ["3.0"], layers: 1 });
  await takeBundle(vendor, site, next);
  await upgradeAt(site, third);
  await report(site, vendor);
  const { items } = await vendor.parts.store.sites.list();
  expect(items[0]?.summary).toMatchObject({
    installations: [{ app: "shop", templateName: "Shop", version: "3.1", release: third }],
  });
});

test("one file serves two sites on different versions, and no other", async () => {
  const vendor = await namedSite("vendor");
  const [harbour, island, stranger] = [
    await namedSite("harbour"),
    await namedSite("island"),
    await namedSite("stranger"),
  ];
  const first = await release(vendor, "2.9");
  const second = await release(vendor, "3.0");
  await carry(vendor, harbour, { releases: [first] });
  await carry(vendor, island, { releases: [second] });
  for (const site of [harbour, island]) await report(site, vendor);
  const third = await release(vendor, "3.1", { image: "web:3.1" });
  const file = await exportFor(vendor, third, ["harbour", "island"]);
  expect(await kindOf(vendor, file)).toMatchObject({ kind: "increment", requires: ["2.9", "3.0"] });
  for (const site of [harbour, island]) {
    await takeBundle(vendor, site, file);
    await installAt(site, third);
    expect(await running(site, (await site.app("shop")).id)).toContain("worker 1 ready");
  }
  await expect(takeBundle(vendor, stranger, file)).rejects.toMatchObject({
    code: "BUNDLE_BASE_MISSING",
    hint: expect.stringMatching(/^import Shop \S+ or Shop \S+ first/),
  });
});

test("an increment is made on named releases, alternatives of one template, or on a state that is not in the ledger", async () => {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const first = await release(vendor, "2.9");
  const second = await release(vendor, "3.0");
  const third = await release(vendor, "3.1", { image: "web:3.1" });
  const releases = [third];
  const named = await startingPoints(vendor.parts, { releases, from: [first, second, first] });
  expect(named.bases.map(({ version }) => version)).toEqual(["2.9", "3.0"]);
  await carry(vendor, site, { releases: [first] });
  const { text } = await makeSiteState(site.parts);
  const { bases } = await startingPoints(vendor.parts, { releases, states: [text] });
  expect(bases).toMatchObject([{ release: first, templateName: "Shop", version: "2.9" }]);
  expect((await vendor.parts.store.sites.list()).items).toEqual([]);
});

test("releases of several templates are had together", async () => {
  const vendor = await namedSite("vendor");
  const first = await release(vendor, "2.9");
  const wish = {
    appId: (await vendor.app("shop")).id,
    by: ann,
    template: { name: "Store" },
    scope: "team" as const,
    version: "1.0",
    components: ["db"],
    values: [],
    scaling: {},
    replace: false,
    accept: ["all"],
  };
  const store = await publish(vendor.parts, wish, { ...quiet, newTemplateId: "store-template" });
  const second = await release(vendor, "3.0");
  const { bases } = await startingPoints(vendor.parts, {
    releases: [second],
    from: [store.digest, second, first],
  });
  expect(bases.map(({ templateName, version }) => `${templateName} ${version}`)).toEqual([
    "Shop 3.0",
    "Shop 2.9",
  ]);
  const alone = await startingPoints(vendor.parts, { releases: [second], from: [store.digest] });
  const [db] = alone.bases[0]?.diffIds ?? [];
  for (const { diffIds } of bases) expect(diffIds).toContain(db);
});

test("where nothing is known the bundle is full, and what cannot be a base is refused with a way out", async () => {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const first = await release(vendor, "2.9");
  const receipt = await makeReceipt(site.parts, { since: 0 });
  await takeIn(vendor.parts, receipt.text, by);
  const releases = [first];
  const rows: readonly (readonly [Parameters<typeof startingPoints>[1], string])[] = [
    [{ releases, forSites: ["harbour"] }, "EXPORT_BASE_ABSENT"],
    [{ releases, states: [receipt.text] }, "EXPORT_BASE_ABSENT"],
    [{ releases, states: ["nonsense"] }, "LEDGER_UNREADABLE"],
    [
      { releases, states: [(await makeSiteState((await namedSite("harbour")).parts)).text] },
      "LEDGER_KEY_CHANGED",
    ],
    [{ releases, forSites: ["nowhere"] }, "STORE_ABSENT"],
  ];
  for (const [wish, code] of rows)
    await expect(startingPoints(vendor.parts, wish), code).rejects.toMatchObject({ code });
  await takeIn(vendor.parts, (await makeSiteState(site.parts)).text, by);
  const plan = await planExport(vendor.parts, { releases, forSites: ["harbour"], ...sealed });
  expect(plan).toMatchObject({
    kind: "full",
    bases: [],
    remarks: ["nothing that HARBOUR holds is here to build on, so the bundle is full"],
  });
  expect(plan.releases[0]?.components).toMatchObject([
    { name: "db", layersLeftOut: 0 },
    { name: "web", layersLeftOut: 0 },
  ]);
});

test("a plan tells what travels and why, and foretells space, time, questions and conflicts", async () => {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const first = await release(vendor, "2.9");
  await carry(vendor, site, { releases: [first] });
  await installAt(site, first);
  await scaleComponent(
    site.parts,
    { by: ann, app: await site.app("shop"), component: "web", replicas: 3 },
    {},
  );
  await site.settle();
  const [measured] = (await site.parts.store.imports.list()).items;
  const { id: _, importedAt: __, ...again } = measured!;
  await site.parts.store.imports.add({ ...again, layerBytes: 1024, tookMs: 1000 });
  await report(site, vendor);
  const second = await release(vendor, "3.0", {
    parameters: {
      town: { type: "string", title: "Town", required: true },
      street: { type: "string", required: true, default: "High" },
    },
    env: { TOWN: { parameter: "town" }, STREET: { parameter: "street" } },
  });
  const plan = await planExport(vendor.parts, { releases: [second], forSites: ["harbour"], ...sealed });
  expect(plan).toMatchObject({
    kind: "increment",
    bases: [{ templateName: "Shop", version: "2.9", unknownLayers: 0 }],
    media: [
      { name: "cd", count: 1 },
      { name: "dvd", count: 1 },
      { name: "fat32", count: 1 },
    ],
    remarks: [],
  });
  expect(plan.releases[0]?.components).toMatchObject([
    { name: "db", layersCarried: 0, layersLeftOut: 1, newBytes: 0 },
    { name: "web", layersCarried: 1, layersLeftOut: 0 },
    { name: "worker", layersCarried: 1, layersLeftOut: 0 },
  ]);
  const [prediction] = plan.sites;
  expect(prediction).toMatchObject({
    site: { id: "harbour", name: "HARBOUR" },
    space: { fits: true },
    importMs: Math.ceil((plan.layersCarriedBytes / 1024) * 1000),
    unfit: [],
  });
  expect(prediction?.upgrades).toMatchObject([
    { team: "shop", app: "shop", from: "2.9", to: "3.0", missing: [{ name: "town", title: "Town" }] },
  ]);
  const [upgrade] = prediction?.upgrades ?? [];
  expect(upgrade?.conflicts.map(({ path, before, offered }) => [path, before, offered])).toEqual([
    ["components.web.replicas", 3, 2],
  ]);
  const file = await exportFor(vendor, second, ["harbour"]);
  expect(Math.abs(file.sizeBytes - plan.sizeBytes) / file.sizeBytes).toBeLessThan(0.05);
});
