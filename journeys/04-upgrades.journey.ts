import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, test } from "vitest";
import { assertProblem, occupyPort } from "./src/bad-input.ts";
import { Bookshop, type Order } from "./src/bookshop.ts";
import { volumesOf } from "./src/engine-api.ts";
import { underLoad } from "./src/load.ts";
import { forged, verifyWithOpenssl } from "./src/report-proof.ts";
import { type Changed, UpgradeStory } from "./src/upgrade-story.ts";

/**
 * Upgrades that people trust, on a real engine: what is to be done is seen first, what the site changed stays, health decides,
 * everything can go back, data too. One story: each act begins where the one before ended.
 */

const CUSTOMER = "Ada 王";
const EXIT = { failed: 1, usage: 2, refused: 3, conflict: 5 } as const;
/** The crash loop of 3.2 is noticed before its time to start (40 s) is over. */
const RETURNS_WITHIN_MS = 60_000;

let story: UpgradeStory;
/** What the shop's customer has ordered, as far as the shop is to know it. */
let orders: readonly Order[] = [];
let broken: string | undefined;

beforeAll(async () => {
  story = await UpgradeStory.open();
});

afterAll(async () => {
  await story?.[Symbol.asyncDispose]();
});

/** An act that begins where the one before ended: where that failed, it cannot. */
function act(title: string, run: () => Promise<void>): void {
  test(title, async () => {
    if (broken !== undefined) throw new Error(`the story ended at: ${broken}`);
    broken = title;
    await run();
    broken = undefined;
  });
}

const say = (text: string) => console.log(`  ${text}`);

async function order(...books: readonly number[]): Promise<void> {
  orders = [...orders, await story.shop.order(CUSTOMER, ...books)];
  await assertHolds();
}

async function assertHolds(): Promise<void> {
  await story.shop.assertServes();
  await story.shop.assertHolds(CUSTOMER, orders);
}

act("an installation without a reason, or onto a port that somebody has, is refused beforehand", async () => {
  const install = ["install", "bookshop@2.9"];
  await story.refused(install, { exitCode: EXIT.usage, codes: ["NOTE_REQUIRED"] });
  await using _stranger = await occupyPort(story.sides.sitePlace, 8080);
  const told = await story.refused([...install, "--note", "first delivery"], {
    exitCode: EXIT.refused,
    codes: ["CLI_PREFLIGHT_FAILED"],
  });
  assert.match(JSON.stringify(told.faults), /\b8080\b/, "the port is named");
});

act("2.9 is installed, and books are ordered", async () => {
  await story.change(["install", "bookshop@2.9"], "first delivery");
  await order(6, 7);
});

act("a plan that was kept is refused once the site has moved, and applied while it has not", async () => {
  await story.edit((text) =>
    text.replace('MAX_COPIES: "5"', 'MAX_COPIES: "7"').replace("poem, poetry, 诗", "poem, poetry, 诗, 歌"),
  );
  const save = async (path: string) =>
    await story.change(["upgrade", "bookshop", "--to", "3.0", "--save", path], "3.0 is out");
  const [early, late] = [story.path("early.json"), story.path("late.json")];
  await save(early);
  await story.site.do(["component", "scale", "bookshop", "catalog", "3"]);
  await story.refused(["apply", early], { exitCode: EXIT.conflict, codes: ["APP_MOVED", "PLAN_CHANGED"] });
  const { changes } = await save(late);
  await story.site.do(["apply", late]);
  assert.equal(await story.version(), "3.0");
  const kept = changes.filter(({ action }) => action === "keep").map(({ path }) => path);
  assert.ok(kept.includes("components.orders.env.MAX_COPIES"), kept.join(" "));
  assert.ok(
    kept.some((path) => path.includes("synonyms.txt")),
    kept.join(" "),
  );
});

act("what the site had changed is still so after the upgrade", async () => {
  assert.ok((await story.envOf("orders")).includes("MAX_COPIES=7"));
  assert.match(await story.exec("search", "cat", "/etc/bookshop/synonyms.txt"), /诗, 歌/);
  assert.equal((await story.containers()).catalog?.length, 3);
  assert.ok((await story.shop.recommendations(6)) > 0, "what 3.0 brings is there too");
  await order(8);
});

act("no request for a book is lost while catalog and search are upgraded, and rolled back", async () => {
  const urls = ["/api/catalog/books/6", "/api/search/books?q=sea"].map((path) => story.origin + path);
  const before = await story.containers();
  const upgrade = ["upgrade", "bookshop", "--to", "3.1", "-c", "catalog", "-c", "search"];
  for (const words of [upgrade, ["rollback", "bookshop"]]) {
    const change = () => story.change(words, "under load");
    const { asked, failed } = await underLoad(story.sides.sitePlace, urls, change);
    say(`${words[0]}: ${failed.length} failed of ${asked}`);
    assert.equal(failed.length, 0, failed.slice(0, 5).join("\n"));
    assert.ok(asked > 100, `${asked} requests are enough to say so`);
  }
  const after = await story.containers();
  for (const name of ["web", "orders", "mariadb"]) assert.deepEqual(after[name], before[name], name);
  for (const name of ["catalog", "search"])
    assert.ok(!before[name]?.some((id) => after[name]?.includes(id)), `${name} runs in new containers`);
  assert.equal(await story.version(), "3.0");
});

act(
  "an upgrade of orders alone brings the catalog that it newly needs, captures the data, and leaves the rest",
  async () => {
    const before = await story.containers();
    const words = ["upgrade", "bookshop", "--to", "3.1", "-c", "orders", "--capture"];
    const { pulledIn, data, recordId } = await story.change(words, "customers of their own");
    assert.deepEqual(pulledIn, [{ component: "catalog", because: "orders newly needs it" }]);
    assert.deepEqual(data?.capture.map(({ component, live }) => [component, live]).sort(), [
      ["mariadb", false],
      ["redis", true],
    ]);
    const after = await story.containers();
    for (const name of ["web", "search", "recommend", "redis"])
      assert.deepEqual(after[name], before[name], name);
    for (const name of ["orders", "catalog", "mariadb"]) assert.notDeepEqual(after[name], before[name], name);
    const record = (await story.records()).find(({ id }) => id === recordId);
    assert.notEqual(record?.dataSnapshotId, undefined);
    assert.equal(await story.serviceVersion("orders"), "3.1.0");
    await assertHolds();
  },
);

let later: Order;

act("the tables that 3.1 changed for good go back with the data, as the plan says", async () => {
  later = await story.shop.order(CUSTOMER, 9);
  const words = ["rollback", "bookshop", "--restore-data"];
  const planned = await story.change([...words, "--plan"], "");
  assert.deepEqual(planned.data?.restore.map(({ component }) => component).sort(), ["mariadb", "redis"]);
  say(planned.remarks.join("; "));
  await story.change(words, "the customers want their names back");
  assert.equal(await story.serviceVersion("orders"), "3.0.0");
  await assertHolds();
});

act("the rollback is rolled back, with what was ordered meanwhile", async () => {
  await story.change(["rollback", "bookshop", "--restore-data"], "they changed their minds");
  assert.equal(await story.serviceVersion("orders"), "3.1.0");
  orders = [...orders, later];
  await assertHolds();
});

act("what the upgrade of orders left out follows later, and nothing else", async () => {
  const before = await story.containers();
  await story.change(["upgrade", "bookshop", "--to", "3.1"], "the rest of 3.1");
  const after = await story.containers();
  for (const name of ["web", "orders", "catalog", "recommend", "mariadb", "redis"])
    assert.deepEqual(after[name], before[name], name);
  assert.notDeepEqual(after.search, before.search);
  await assertHolds();
});

act("3.2 crash-loops, and the upgrade goes back by itself", async () => {
  const before = await story.containers();
  const startedMs = performance.now();
  const ended = await story.site.cli(["upgrade", "bookshop", "--to", "3.2", "--note", "payments"]);
  const tookMs = performance.now() - startedMs;
  const told = assertProblem(ended, { exitCode: EXIT.failed, codes: ["CLI_ROLLOUT_FAILED"] });
  say(`3.2 was given up, and 3.1 served as before, after ${(tookMs / 1000).toFixed(1)} s`);
  assert.ok(tookMs < RETURNS_WITHIN_MS);
  assert.match(told.why ?? "", /PAYMENTS_URL is not set/, "the reason is that of the program");
  const [back, failed] = await story.records();
  assert.deepEqual([back?.kind, back?.state], ["rollback", "succeeded"]);
  assert.deepEqual([failed?.kind, failed?.state], ["upgrade", "returned"]);
  assert.deepEqual((await story.containers()).orders?.length, before.orders?.length);
  assert.equal(await story.serviceVersion("orders"), "3.1.0");
  await order(10);
});

act(
  "the search is switched off and on again: the shop serves without it, and it comes back as it was",
  async () => {
    const volumes = async () =>
      (await volumesOf(story.sides.sitePlace.dockerHost, ["dev.sampan.volume"])).toSorted();
    const before = await volumes();
    await story.change(["app", "modules", "bookshop", "-m", "search=off"], "not licensed");
    assert.equal((await story.containers()).search, undefined);
    await assert.rejects(story.shop.ask("/api/search/books?q=sea"), /503/);
    await story.shop.assertHolds(CUSTOMER, orders);
    assert.deepEqual(await volumes(), before);
    await story.change(["app", "modules", "bookshop", "-m", "search=on"], "licensed");
    assert.match(await story.exec("search", "cat", "/etc/bookshop/synonyms.txt"), /诗, 歌/);
    await assertHolds();
  },
);

act("the acceptance report is verified without the server, by our program and by openssl", async () => {
  const { site } = story;
  const upgraded = (await story.records()).find(
    ({ kind, state }) => kind === "upgrade" && state === "succeeded",
  );
  const id = upgraded?.id ?? "";
  const [key, page, json] = [story.path("site.pem"), story.path("report.html"), story.path("report.json")];
  const { publicKeyPem } = await site.do<{ readonly publicKeyPem: string }>(["key", "show"]);
  await writeFile(key, publicKeyPem);
  await site.do(["record", "countersign", id, "--as", "Li Wei", "--remark", "accepted on site"]);
  await site.do(["record", "report", id, "--html", page, "-o", json]);
  for (const file of [page, json]) {
    const { report, countersignatures } = await site.do<{
      readonly report: { readonly id: string; readonly result: string; readonly why: string };
      readonly countersignatures: readonly { readonly name: string }[];
    }>(["report", "verify", file, "--key", key]);
    assert.deepEqual([report.id, report.result], [id, "succeeded"]);
    assert.deepEqual(
      countersignatures.map(({ name }) => name),
      ["Li Wei"],
    );
  }
  await verifyWithOpenssl(json, key, story.sides.story.path);
  const lie = await forged(json, story.path("forged.json"));
  const ended = await site.cli(["report", "verify", lie, "--key", key]);
  assert.match(ended.stderr, /REPORT_FALSE/);
  await assert.rejects(verifyWithOpenssl(lie, key, story.sides.story.path));
});

act("what any two records made of the shop can be compared", async () => {
  const [first, last] = [(await story.records()).at(-1), (await story.records())[0]];
  const { changes } = await story.site.do<Pick<Changed, "changes">>([
    "record",
    "diff",
    first?.id ?? "",
    last?.id ?? "",
  ]);
  const found = (path: string) => changes.find((change) => change.path.startsWith(path))?.action;
  assert.equal(found("components.orders.image"), "change");
  assert.equal(found("components.recommend"), "add");
  assert.equal(found("components.mariadb.volumes"), undefined);
});

act("2.9 goes to 3.1 without 3.0 between, in an app beside", async () => {
  const second = new Bookshop(story.sides.sitePlace, 8081);
  const install = ["install", "bookshop@2.9", "--app", "second", "-p", "http_port=8081"];
  await story.change(install, "a second shop");
  const ordered = await second.order(CUSTOMER, 1);
  const before = await story.containers();
  await story.change(["upgrade", "second", "--to", "3.1"], "two versions at once");
  await second.assertServes();
  await second.assertHolds(CUSTOMER, [ordered]);
  const { customers } = await second.ask<{ readonly customers: readonly { readonly name: string }[] }>(
    "/api/orders/customers",
  );
  assert.deepEqual(
    customers.map(({ name }) => name),
    [CUSTOMER],
  );
  assert.deepEqual(await story.containers(), before, "the first shop was left alone");
  await story.site.do(["app", "remove", "second"]);
});

act("a backup brings the shop to another site, with every order", async () => {
  const { site, sides } = story;
  const [file, phrase] = [story.path("shop-backup.sampan"), story.path("phrase.txt")];
  await writeFile(phrase, "eleven green sampans\n");
  await site.do(["backup", "create", "bookshop", "-o", file, "--passphrase-file", phrase]);
  await site.do(["app", "stop", "bookshop"]);
  const other = await sides.newSite("other");
  await other.do(["key", "trust", story.path("site.pem"), "--name", "Harbour Hospital"]);
  await other.do([
    "backup",
    "restore",
    file,
    "--passphrase-file",
    phrase,
    "--note",
    "the old machine is tired",
  ]);
  await assertHolds();
  assert.equal(await story.serviceVersion("orders"), "3.1.0");
});
