import { previewBundle } from "@sampan/bundle";
import type { SiteState } from "@sampan/ledger";
import { expect, test } from "vitest";
import { updateApp } from "./apps.ts";
import { writeOptions } from "./export.ts";
import { readRelease } from "./library.ts";
import { predictSite } from "./predict-site.ts";
import { makeSiteState } from "./site-state.ts";
import { carry, installAt, namedSite, release } from "./test-loop.ts";
import { ann } from "./test-site.ts";

/** The shop 2.9 at a site with an edit and a secret of its own, and 3.0 at the vendor. */
async function offered() {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const first = await release(vendor, "2.9", { env: { KEY: { secret: "one" } } });
  await carry(vendor, site, { releases: [first] });
  await installAt(site, first);
  const app = await site.app("shop");
  const web = app.spec.components.web!;
  const given = {
    app: {
      ...app.spec,
      components: { ...app.spec.components, web: { ...web, env: { ...web.env, TITLE: "Ours" } } },
    },
  };
  await updateApp(site.parts, { by: ann, app, given, answers: {} }, {});
  await site.settle();
  const digest = await release(vendor, "3.0", {
    env: { KEY: { secret: "two" }, TITLE: "Theirs" },
    preflight: { cpu: 2, memory: "1GiB", architectures: ["amd64"] },
  });
  const { payload: state } = await makeSiteState(site.parts);
  return { vendor, state, digest };
}

async function prepare() {
  const { vendor, state, digest } = await offered();
  const options = await writeOptions(vendor.parts, { releases: [digest], level: 3, unsigned: false });
  const preview = await previewBundle(vendor.parts.hold, options);
  const { release: offer } = await readRelease(vendor.parts, digest);
  const given = { preview, releases: [offer], digests: [digest] };
  const predict = (change: (one: SiteState) => SiteState) =>
    predictSite(vendor.parts, { ...given, state: change(state) });
  return { digest, predict };
}

test("what a site changed is foretold as kept, and secrets as not known", async () => {
  const { predict } = await prepare();
  const { upgrades, space, unfit } = await predict((one) => one);
  expect(upgrades).toHaveLength(1);
  const [{ conflicts, unknown, missing } = {}] = upgrades;
  expect(conflicts?.map(({ path, before, offered }) => [path, before, offered])).toEqual([
    ["components.web.env.TITLE", "Ours", "Theirs"],
  ]);
  expect(unknown?.map(({ path }) => path)).toEqual(["components.web.env.KEY"]);
  expect(JSON.stringify(upgrades)).not.toMatch(/"one"|"two"/);
  expect([missing, space.fits, unfit]).toEqual([[], true, []]);
});

test("room, machine and time are told from the state", async () => {
  const { predict } = await prepare();
  const full = await predict((one) => ({ ...one, hold: { ...one.hold, freeBytes: 1000 } }));
  expect(full.space).toMatchObject({ fits: false, freeBytes: 1000 });

  const small = await predict((one) => ({
    ...one,
    engine: { ...one.engine, architecture: "arm64", cpus: 1, memoryBytes: 1024 },
  }));
  expect(small.unfit.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["images", "architecture", "cpu", "memory"]),
  );
  expect(
    (await predict((one) => ({ ...one, engine: { driver: "docker", reachable: false } }))).unfit,
  ).toEqual([]);

  const unmeasured = await predict((one) => ({ ...one, rates: {} }));
  expect(unmeasured.importMs).toBeUndefined();
  const measured = await predict((one) => ({ ...one, rates: { importBytesPerSecond: 1 } }));
  expect(measured.importMs).toBeGreaterThan(1000);
});

test("what cannot be told is said, and what runs already is no upgrade", async () => {
  const { digest, predict } = await prepare();
  const blind = async (change: (app: SiteState["apps"][number]) => SiteState["apps"][number]) => {
    const { upgrades: seen } = await predict((one) => ({ ...one, apps: one.apps.map(change) }));
    return seen.map(({ conflicts: found, remarks }) => [found, ...remarks]);
  };
  expect(await blind((app) => ({ ...app, spec: { ...app.spec, apiVersion: "sampan/v9" } }))).toEqual([
    [[], expect.stringContaining("a version that this one cannot read")],
  ]);
  const elsewhere = `sha256:${"0".repeat(64)}` as const;
  expect(
    await blind((app) => ({
      ...app,
      installations: app.installations.map((one) => ({ ...one, release: elsewhere })),
    })),
  ).toEqual([[[], expect.stringContaining("is not in the library here")]]);
  expect(
    await blind((app) => ({
      ...app,
      installations: app.installations.map((one) => ({ ...one, release: digest })),
    })),
    "it runs there already",
  ).toEqual([]);
});
