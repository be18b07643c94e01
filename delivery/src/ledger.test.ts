import { expect, test } from "vitest";
import { updateApp } from "./apps.ts";
import { historyOfSite, stateOfSite, takeIn } from "./ledger.ts";
import { makeReceipt } from "./receipt.ts";
import { countersign } from "./report.ts";
import { makeSiteState } from "./site-state.ts";
import { carry, installAt, namedSite, release } from "./test-loop.ts";
import { expectRefused } from "./test-rows.ts";
import { shelve } from "./test-shop.ts";
import { ann } from "./test-site.ts";

const by = { by: ann };

const asked = {
  parameters: {
    greeting: { type: "string", default: "hello" },
    password: { type: "password", required: true },
    motto: { type: "string" },
  },
} as const;

test("a site state says what the site holds and runs, down to the layers", async () => {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const digest = await release(vendor, "2.9");
  await carry(vendor, site, { releases: [digest] });
  await installAt(site, digest);
  const { payload, sequence } = await makeSiteState(site.parts);
  expect(payload).toMatchObject({
    schema: 1,
    sequence,
    site: { id: "harbour", enterprise: "HARBOUR", keyId: site.parts.site.signer.keyId },
    engine: { driver: "memory", reachable: true, os: "linux", architecture: "amd64" },
    releases: [{ digest, templateId: "shop-template", templateName: "Shop", version: "2.9" }],
    apps: [
      {
        name: "shop",
        team: "shop",
        stopped: false,
        installations: [{ templateName: "Shop", version: "2.9", release: digest, state: "installed" }],
      },
    ],
    policy: { noteRequired: false },
  });
  const held = payload.releases[0]?.images ?? [];
  expect(held).toHaveLength(2);
  for (const id of held) {
    const image = await site.parts.hold.image(id);
    expect(payload.images.find((one) => one.id === id)?.layers).toEqual(
      image?.layers.map(({ diffId }) => diffId),
    );
  }
  expect((await makeSiteState(site.parts)).sequence).toBe(sequence + 1);
});

test("no secret, and no answer, leaves the site in a state or a receipt", async () => {
  const site = await namedSite("harbour");
  const digest = await shelve(site, "2.9", asked);
  await installAt(site, digest, { password: "MARK-answer", motto: "MARK-motto" });
  const app = await site.app("shop");
  const { web, db } = app.spec.components;
  const given = {
    app: {
      ...app.spec,
      plugins: { probe: { kind: "sidecar", image: "db:1", env: { TOKEN: "MARK-plugin" } } },
      components: {
        ...app.spec.components,
        db: { ...db, files: { "/etc/key": { content: "MARK-file", secret: true } } },
        web: {
          ...web,
          env: { ...web?.env, API_TOKEN: "MARK-literal", KEY: { secret: "MARK-sealed" } },
          args: ["--url", "http://ann:MARK-url@db/"],
          files: { "/etc/app.conf": { content: "password = MARK-conf\n" } },
          plugins: { probe: { plugin: "probe", config: { SECRET_KEY: "MARK-config" } } },
        },
      },
    },
  };
  await updateApp(site.parts, { by: ann, app, given, answers: {} }, { ignorePreflight: true });
  await site.settle();
  const generated = Object.values((await site.app("shop")).values.generated);
  expect(generated.length).toBeGreaterThan(0);
  const state = await makeSiteState(site.parts);
  const receipt = await makeReceipt(site.parts, { since: 0 });
  const said = JSON.stringify([state.payload, receipt.payload]);
  expect(said).not.toContain("MARK");
  for (const value of generated) expect(said).not.toContain(value);
  expect(said).not.toContain("PRIVATE KEY");
  expect(state.payload.apps[0]?.answered).toEqual(["greeting", "motto", "password"]);
  expect(receipt.payload.records).toMatchObject([{ kind: "install", result: "succeeded" }]);
});

test("a receipt tells what arrived and what was done, since the number that is asked for", async () => {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const digest = await release(vendor, "2.9");
  const { file } = await carry(vendor, site, { releases: [digest] });
  const state = await makeSiteState(site.parts);
  const first = await makeReceipt(site.parts, { since: 0 });
  expect(first.payload).toMatchObject({
    since: 0,
    state: { sequence: state.sequence, digest: state.digest },
    imports: [
      { fileName: file.name, who: "ann", releases: [{ templateName: "Shop", version: "2.9", digest }] },
    ],
    records: [],
    omitted: 0,
  });
  await installAt(site, digest);
  const second = await makeReceipt(site.parts, { since: first.sequence });
  expect(second.payload).toMatchObject({
    imports: [],
    records: [
      {
        kind: "install",
        team: "shop",
        to: { version: "2.9", digest },
        result: "succeeded",
        acceptance: [{ name: "the front answers", state: "passed" }],
        countersignatures: [],
      },
    ],
  });
  expect((await makeReceipt(site.parts, { since: second.sequence })).payload.records).toEqual([]);
  await countersign(site.parts, second.payload.records[0]?.id ?? "", { by: ann, name: "Li Wei" });
  const late = await makeReceipt(site.parts, { since: second.sequence });
  expect(late.payload.records[0]?.countersignatures).toMatchObject([{ name: "Li Wei", signed: false }]);
  expect((await makeReceipt(site.parts, { since: 0 })).payload).toMatchObject({
    imports: [{}],
    records: [{}],
  });

  for (const one of [first, late, second]) await takeIn(vendor.parts, one.text, by);
  const history = await historyOfSite(vendor.parts, "harbour");
  expect(history).toMatchObject({ receipt: late.sequence, imports: [{ fileName: file.name }] });
  expect(history.records).toMatchObject([{ countersignatures: [{ name: "Li Wei" }] }]);
});

test("the ledger pins a site to the key of its first file, and takes only newer states", async () => {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const [older, newer] = [await makeSiteState(site.parts), await makeSiteState(site.parts)];
  const taken = await takeIn(vendor.parts, newer.text, by);
  expect(taken).toMatchObject({
    kind: "state",
    outcome: "kept",
    pinned: true,
    site: { id: "harbour", name: "HARBOUR", keyId: site.parts.site.signer.keyId, sequence: newer.sequence },
    remarks: [expect.stringContaining(site.parts.site.signer.keyId)],
  });
  for (const text of [older.text, newer.text])
    expect(await takeIn(vendor.parts, text, by)).toMatchObject({
      outcome: "older",
      pinned: false,
      remarks: [expect.stringContaining("was not taken")],
    });
  expect((await stateOfSite(vendor.parts, "harbour"))?.sequence).toBe(newer.sequence);
  const receipt = await makeReceipt(site.parts, { since: 0 });
  const outcomes = [];
  for (let n = 0; n < 2; n++) outcomes.push((await takeIn(vendor.parts, receipt.text, by)).outcome);
  expect(outcomes).toEqual(["kept", "known"]);

  const stranger = await namedSite("harbour");
  const other = await makeSiteState(stranger.parts);
  await expectRefused(vendor, () => takeIn(vendor.parts, other.text, by), { code: "LEDGER_KEY_CHANGED" });
  await vendor.parts.store.sites.remove("harbour");
  expect(await takeIn(vendor.parts, other.text, by)).toMatchObject({ outcome: "kept", pinned: true });
});

test("a file that is damaged, changed or signed by another key changes nothing", async () => {
  const vendor = await namedSite("vendor");
  const site = await namedSite("harbour");
  const { text } = await makeSiteState(site.parts);
  const envelope = JSON.parse(text);
  const payload = JSON.parse(Buffer.from(envelope.payload, "base64").toString());
  const changed = Buffer.from(JSON.stringify({ ...payload, sequence: 99 })).toString("base64");
  const rows: readonly (readonly [string, string])[] = [
    ["", "LEDGER_UNREADABLE"],
    [text.slice(0, 200), "LEDGER_UNREADABLE"],
    [JSON.stringify({ ...envelope, payload: changed }), "LEDGER_FALSE"],
    [JSON.stringify({ ...envelope, signatures: [] }), "LEDGER_UNSIGNED"],
  ];
  for (const [file, code] of rows)
    await expectRefused(vendor, () => takeIn(vendor.parts, file, by), { code });
});

test("a site whose engine does not answer still says what it holds", async () => {
  const site = await namedSite("harbour");
  await shelve(site, "2.9");
  const driver = {
    ...site.parts.driver,
    capabilities: () => {
      throw new Error("not a problem");
    },
  };
  await expect(makeSiteState({ ...site.parts, driver })).rejects.toThrow("not a problem");
  site.engine.unreachable = true;
  const { payload } = await makeSiteState(site.parts);
  expect(payload).toMatchObject({ engine: { driver: "memory", reachable: false }, releases: [{}] });
});
