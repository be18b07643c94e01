import { afterAll, beforeAll, test } from "vitest";
import { bookshop, type Cargo } from "./src/cargo.ts";
import { killChanges, killImports, killInstalls, removeApp } from "./src/kill-story.ts";
import type { SampanServer } from "./src/sampan-server.ts";
import { chooseSeed, seededRandom } from "./src/seeded-random.ts";
import { smallApp } from "./src/small-app.ts";
import { TwoSides } from "./src/two-sides.ts";

/**
 * `kill -9` of the site's server at random points of import, install, upgrade and rollback. After a restart it converges
 * by itself: what was accepted is done, once, and nothing is left over. SEED repeats a run.
 */

const seed = chooseSeed();
const random = seededRandom(seed);
const say = (text: string) => console.log(`  ${text}`);

let sides: TwoSides;

beforeAll(async () => {
  console.log(`kill journey: SEED=${seed}`);
  sides = await TwoSides.open();
  await sides.setUpVendor();
});

afterAll(async () => {
  await sides?.[Symbol.asyncDispose]();
});

for (const { cargo, points } of [
  { cargo: smallApp, points: 5 },
  { cargo: bookshop, points: 1 },
] as const) {
  let site: SampanServer | undefined;
  const theSite = () => {
    if (site === undefined) throw new Error("no site came out of the imports");
    return site;
  };

  test(`${cargo.name}: a killed import is finished after the restart, and leaves nothing behind`, async () => {
    await sides.load(cargo);
    site = await killImports(sides, { cargo, points, random, say });
  });

  test(`${cargo.name}: a killed installation is finished, each container once`, async () => {
    await killInstalls(theSite(), { cargo, points, random, say }, await imagesOf(cargo, 0));
  });

  test(`${cargo.name}: killed upgrades and rollbacks are finished`, async () => {
    const images = { first: await imagesOf(cargo, 0), second: await imagesOf(cargo, 1) };
    await killChanges(theSite(), { cargo, points, random, say }, images);
    await removeApp(theSite(), cargo);
    await theSite().stop();
  });
}

async function imagesOf(cargo: Cargo, version: 0 | 1) {
  return await cargo.images(sides.vendor.place.dockerHost, cargo.versions[version]);
}
