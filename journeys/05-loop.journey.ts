import assert from "node:assert/strict";
import { copyFile, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { assertProblem } from "./src/bad-input.ts";
import {
  Bookshop,
  bookshopImages,
  bookshopText,
  buildBookshop,
  freePort,
  type Order,
} from "./src/bookshop.ts";
import type { SampanServer } from "./src/sampan-server.ts";
import { TwoSides } from "./src/two-sides.ts";

/**
 * What travels back makes the next delivery small: two rounds of state, increment, receipt and ledger; one stick for two sites that
 * hold different versions; and a bundle in volumes of which one arrives damaged. Real engines, no link.
 */

const VERSIONS = ["2.9", "3.0", "3.1"] as const;
const CUSTOMER = "Ada 王";
const EXIT = { conflict: 5, damaged: 6 } as const;

let sides: TwoSides;
let harbour: SampanServer;
let island: SampanServer;
let shop: Bookshop;
const orders: Order[] = [];

interface Exported {
  readonly path: string;
  readonly sizeBytes: number;
}
interface SiteInLedger {
  readonly id: string;
  readonly summary: { readonly installations?: readonly { readonly version: string }[] };
}

beforeAll(async () => {
  sides = await TwoSides.open();
  await sides.setUpVendor();
  const { vendor } = sides;
  await buildBookshop(vendor.place.dockerHost, VERSIONS);
  const port = `http_port=${await freePort()}`;
  for (const version of VERSIONS) {
    await vendor.do(["apply", "-f", bookshopText(version), "-p", port]);
    await vendor.do(["publish", "bookshop", "--as", version]);
  }
  await vendor.do(["app", "remove", "bookshop"]);
  [harbour, island] = [await sides.newSite("harbour"), await sides.newSite("island")];
  shop = new Bookshop(sides.sitePlace, 8080);
});

afterAll(async () => {
  await sides?.[Symbol.asyncDispose]();
});

const say = (text: string) => console.log(`  ${text}`);
const onStick = (name: string) => join(sides.stick, name);
const idOf = async (site: SampanServer) => (await site.do<{ readonly id: string }>(["site"])).id;
const full = async (version: string) =>
  await sides.vendor.do<Exported>(["export", `bookshop@${version}`, "-o", onStick(`full-${version}.sampan`)]);

/** The two files that travel back, taken into the vendor's ledger. */
async function report(site: SampanServer, name: string): Promise<SiteInLedger> {
  const files = [onStick(`${name}-state.json`), onStick(`${name}-receipt.json`)] as const;
  await site.do(["site", "state", "-o", files[0]]);
  await site.do(["site", "receipt", "-o", files[1]]);
  await sides.vendor.do(["ledger", "add", ...files]);
  return await sides.vendor.do<SiteInLedger>(["ledger", "show", await idOf(site)]);
}

/** Every image of the version is what was built, by its image ID. */
async function assertHas(site: SampanServer, version: (typeof VERSIONS)[number]): Promise<void> {
  const { images } = await site.do<{ readonly images: readonly { readonly imageId: string }[] }>([
    "release",
    "show",
    `bookshop@${version}`,
  ]);
  const built = await bookshopImages(sides.vendor.place.dockerHost, version);
  assert.deepEqual(images.map(({ imageId }) => imageId).sort(), [...new Set(Object.values(built))].sort());
}

let sizeOf30 = 0;

test("the first delivery is whole; the site's state comes back, and pins the site in the ledger", async () => {
  const { path } = await full("2.9");
  sizeOf30 = (await full("3.0")).sizeBytes;
  await harbour.do(["import", path]);
  await harbour.do(["install", "bookshop@2.9", "--note", "first delivery"]);
  orders.push(await shop.order(CUSTOMER, 6));
  const known = await report(harbour, "harbour");
  assert.deepEqual(
    known.summary.installations?.map(({ version }) => version),
    ["2.9"],
  );
});

test("the increment for that site is foretold, and is a hundredth of the whole", async () => {
  const wish = ["export", "bookshop@3.0", "--for", await idOf(harbour)];
  const plan = await sides.vendor.do<{
    readonly kind: string;
    readonly sizeBytes: number;
    readonly sites: readonly {
      readonly upgrades: readonly { readonly from: string; readonly to: string }[];
    }[];
  }>([...wish, "--plan"]);
  assert.equal(plan.kind, "increment");
  assert.deepEqual(
    plan.sites[0]?.upgrades.map(({ from, to }) => [from, to]),
    [["2.9", "3.0"]],
  );
  const { sizeBytes } = await sides.vendor.do<Exported>([...wish, "-o", onStick("round-1.sampan")]);
  say(`3.0 whole: ${sizeOf30} bytes; for the site: ${sizeBytes}, foretold ${plan.sizeBytes}`);
  assert.ok(Math.abs(plan.sizeBytes - sizeBytes) <= 0.05 * sizeBytes, `${plan.sizeBytes} is within 5 %`);
  assert.ok(sizeBytes < sizeOf30 / 100);
});

test("a site that does not hold what it builds on refuses it, and says what it wants", async () => {
  const told = assertProblem(await island.cli(["import", onStick("round-1.sampan")]), {
    exitCode: EXIT.conflict,
    codes: ["BUNDLE_BASE_MISSING"],
  });
  assert.match(JSON.stringify(told), /2\.9/);
});

test("the site imports it, upgrades, and has every image as the vendor has it", async () => {
  await harbour.do(["import", onStick("round-1.sampan")]);
  await assertHas(harbour, "3.0");
  await harbour.do(["upgrade", "bookshop", "--to", "3.0", "--note", "round one"]);
  await shop.assertHolds(CUSTOMER, orders);
  const known = await report(harbour, "harbour");
  assert.deepEqual(
    known.summary.installations?.map(({ version }) => version),
    ["3.0"],
  );
});

test("one stick serves two sites that hold different versions", async () => {
  await island.do(["import", onStick("full-2.9.sampan")]);
  await report(island, "island");
  const wish = ["export", "bookshop@3.1", "--for", await idOf(harbour), "--for", await idOf(island)];
  const { sizeBytes } = await sides.vendor.do<Exported>([...wish, "-o", onStick("round-2.sampan")]);
  say(`3.1 for both sites: ${sizeBytes} bytes`);
  for (const site of [harbour, island]) {
    await site.do(["import", onStick("round-2.sampan")]);
    await assertHas(site, "3.1");
  }
  await harbour.do(["upgrade", "bookshop", "--to", "3.1", "--capture", "--note", "round two"]);
  await shop.assertHolds(CUSTOMER, orders);
  await report(harbour, "harbour");
});

test("of a bundle in volumes one arrives damaged; the rest waits for its repair, in any order", async () => {
  const folder = onStick("volumes");
  const vault = join(sides.story.path, "vault");
  await mkdir(vault);
  await sides.vendor.do([
    "export",
    "bookshop@3.1",
    "--volume-size",
    "80MiB",
    "-o",
    join(vault, "shop.sampan"),
  ]);
  const names = (await readdir(vault)).sort();
  assert.equal(names.length, 3, names.join(" "));
  await mkdir(folder);
  for (const name of names) await copyFile(join(vault, name), join(folder, name));
  await flipBit(join(folder, names[1]!));
  const lighthouse = await sides.newSite("lighthouse");
  const last = await lighthouse.do<{ readonly complete: boolean; readonly missing: readonly number[] }>([
    "import",
    join(folder, names[2]!),
  ]);
  assert.deepEqual([last.complete, last.missing], [false, [1, 2]]);
  const damaged = await lighthouse.cli(["import", join(folder, names[0]!), join(folder, names[1]!)]);
  assert.equal(damaged.exitCode, EXIT.damaged, damaged.stderr);
  const { request } = await lighthouse.do<{ readonly request: string }>([
    "bundle",
    "repair-request",
    join(folder, names[1]!),
  ]);
  say(request);
  const repair = onStick("repair.sampan");
  await sides.vendor.do([
    "bundle",
    "repair",
    request,
    ...names.map((name) => join(vault, name)),
    "-o",
    repair,
  ]);
  say(`the repair: ${(await stat(repair)).size} bytes`);
  await lighthouse.do(["import", repair, join(folder, names[1]!)]);
  await assertHas(lighthouse, "3.1");
  await rm(vault, { recursive: true });
});

/** In the middle of the file: in a pack. */
async function flipBit(path: string): Promise<void> {
  await using file = await open(path, "r+");
  const at = Math.floor((await file.stat()).size / 2);
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  buffer[0] = (buffer[0] ?? 0) ^ 1;
  await file.write(buffer, 0, 1, at);
}
