import assert from "node:assert/strict";
import type { Act, ActResult } from "./acts.ts";
import { bookshopImages } from "./bookshop.ts";
import type { Crossing } from "./crossing.ts";
import { askEngine, containersOf } from "./engine-api.ts";
import { assertRuns, CUSTOMER_AT_SITE, importNext, orderAtSite } from "./site-acts.ts";
import { applyVersion, CUSTOMER, carry, exportVersion, publishVersion } from "./vendor-acts.ts";

const SYNONYMS = "/etc/bookshop/synonyms.txt";
/** Of `catalog`, chosen by the site's operator; the template says 2. */
const REPLICAS_AT_SITE = 3;

interface Change {
  readonly path: string;
  readonly action: "add" | "change" | "remove" | "keep";
  readonly why: string;
}

/** What the preview must say of what 3.0 brings, and of what is the site's to change. */
const EXPECTED: Readonly<Record<string, Change["action"]>> = {
  "components.orders.image": "change",
  "components.recommend": "add",
  "components.orders.env.CONFIRM_AFTER_SECONDS": "add",
  "components.orders.env.MAX_COPIES": "keep",
  [`components.search.files.${SYNONYMS}`]: "keep",
};

async function moveVendorOn(crossing: Crossing): Promise<ActResult> {
  await applyVersion(crossing, "3.0");
  const { vendorShop, vendorOrders } = crossing;
  await vendorShop.assertHolds(CUSTOMER, vendorOrders);
  vendorOrders.push(await vendorShop.order(CUSTOMER, 4));
  await vendorShop.assertHolds(CUSTOMER, vendorOrders);
  return { says: `7 components answer; the ${vendorOrders.length - 1} orders are there, and one more` };
}

async function scale(crossing: Crossing): Promise<ActResult> {
  await crossing.site.do(["component", "scale", "bookshop", "catalog", String(REPLICAS_AT_SITE)]);
  await assertRuns(crossing, await bookshopImages(crossing.vendorPlace.dockerHost, "2.9"));
  return { says: `catalog runs ${REPLICAS_AT_SITE} times: the operator's own choice` };
}

/** What the upgrade would do, before anything is done: every property that differs, with its rule. */
async function planUpgrade({ site }: Crossing): Promise<ActResult> {
  const { changes, plan } = await site.do<{
    readonly changes: readonly Change[];
    readonly plan: { readonly steps: readonly unknown[] };
  }>(["upgrade", "bookshop", "--plan"]);
  for (const [path, action] of Object.entries(EXPECTED)) {
    const found = changes.find((change) => change.path === path || change.path.startsWith(`${path}.`));
    assert.equal(found?.action, action, `${path}, of ${changes.map((change) => change.path).join(" ")}`);
    assert.notEqual(found?.why, "");
  }
  return { says: `${changes.length} differences, ${plan.steps.length} steps` };
}

async function upgrade(crossing: Crossing): Promise<ActResult> {
  const { site, siteShop, siteOrders } = crossing;
  const before = await synonymsOf(crossing);
  await site.do(["upgrade", "bookshop", "--note", "3.0 came on the stick"]);
  await siteShop.assertServes();
  await assertRuns(crossing, await bookshopImages(crossing.vendorPlace.dockerHost, "3.0"));
  await siteShop.assertHolds(CUSTOMER_AT_SITE, siteOrders);
  const env = await envOf(crossing, "orders");
  assert.ok(env.includes("MAX_COPIES=5"), "the value of an env key that the site had stays");
  assert.ok(env.includes("CONFIRM_AFTER_SECONDS=60"), "a new env key is there");
  assert.equal(await synonymsOf(crossing), before, "the text of a config file that the site had stays");
  return { says: `${siteOrders.length} orders are there; env and config text of the site kept` };
}

async function synonymsOf({ site }: Crossing): Promise<string> {
  const words = ["component", "exec", "bookshop", "search", "--", "cat", SYNONYMS];
  return (await site.do<{ readonly stdout: string }>(words)).stdout;
}

async function envOf({ sitePlace }: Crossing, component: string): Promise<readonly string[]> {
  const [container] = await containersOf(sitePlace.dockerHost, [`dev.sampan.component=${component}`]);
  const { Config } = (await askEngine(sitePlace.dockerHost, `/containers/${container?.Id}/json`)) as {
    readonly Config: { readonly Env: readonly string[] };
  };
  return Config.Env;
}

async function orderAndBeAdvised(crossing: Crossing): Promise<ActResult> {
  const { says } = await orderAtSite(crossing, 6, 8);
  const books = await crossing.siteShop.recommendations(6);
  assert.ok(books > 0, "books that were ordered together are recommended");
  return { says: `${says}; ${books} books recommended` };
}

/** Back to the images of 2.9; what the upgrade added stays, and so does every order. */
async function rollBack(crossing: Crossing): Promise<ActResult> {
  await crossing.site.do(["rollback", "bookshop", "--note", "the shop wants 2.9 back"]);
  const { vendorPlace, siteShop, siteOrders } = crossing;
  const [before, after] = [
    await bookshopImages(vendorPlace.dockerHost, "2.9"),
    await bookshopImages(vendorPlace.dockerHost, "3.0"),
  ];
  await assertRuns(crossing, { ...before, recommend: after.recommend ?? "" });
  await siteShop.assertServes();
  await siteShop.assertHolds(CUSTOMER_AT_SITE, siteOrders);
  return { says: "2.9 runs; recommend, which the upgrade added, stays" };
}

async function orderAgain(crossing: Crossing): Promise<ActResult> {
  const { says } = await orderAtSite(crossing, 9);
  return { says: `${says}: of before, of the upgrade, and of now` };
}

export const UPGRADE_ACTS: readonly Act[] = [
  { where: "vendor", title: "bookshop 3.0 is applied", run: moveVendorOn },
  { where: "vendor", title: "3.0 is published", run: (crossing) => publishVersion(crossing, "3.0") },
  { where: "vendor", title: "3.0 is exported", run: (crossing) => exportVersion(crossing, "3.0") },
  { where: "gap", title: "the file is carried", run: (crossing) => carry(crossing, "3.0") },
  { where: "site", title: "3.0 is imported", run: (crossing) => importNext(crossing, "3.0") },
  { where: "site", title: "the operator scales the catalog", run: scale },
  { where: "site", title: "the upgrade is planned", run: planUpgrade },
  { where: "site", title: "the upgrade is done", run: upgrade },
  { where: "site", title: "books are ordered and recommended", run: orderAndBeAdvised },
  { where: "site", title: "the upgrade is rolled back", run: rollBack },
  { where: "site", title: "books are ordered again", run: orderAgain },
];
