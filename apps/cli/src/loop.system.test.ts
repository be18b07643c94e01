import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pushTestImage } from "./push-test-image.ts";
import { TestSite } from "./test-site.ts";

/** The loop, on the command line: what travels back, and what it makes of the next delivery. */

let vendor: TestSite;
let site: TestSite;

beforeAll(async () => {
  vendor = await TestSite.start();
  site = await TestSite.start();
  await vendor.setUp("Acme");
  await site.setUp("Harbour");
});
afterAll(async () => {
  await vendor?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

function appText(version: string, more = ""): string {
  return `apiVersion: sampan/v1
kind: App
name: shop
version: "${version}"
parameters:
  town: { type: string, title: Town${more === "" ? "" : ", required: true"} }
components:
  web:
    kind: stateless
    image: shop/web:${version}
    env: { GREETING: hello${more} }
    replicas: 1
    ports: { http: { port: 8080, protocol: http } }
  db: { kind: stateful, image: "shop/db:1", volumes: { data: { path: /data, kind: persistent } } }
`;
}

const library = "the same line, again and again, in a library that hardly ever changes\n".repeat(2000);

async function publish(version: string, more = ""): Promise<void> {
  const registry = { url: vendor.url, token: await vendor.token() };
  const push = (repository: string, tag: string) =>
    pushTestImage(registry, {
      repository,
      tag,
      files: { "lib/all.js": `${repository}\n${library}`, "serve.txt": `${repository} ${tag} `.repeat(9) },
    });
  await push("shop/web", version);
  await push("shop/db", "1");
  await writeFile(join(vendor.folder, "app.yaml"), appText(version, more));
  await vendor.json("apply", "-f", "app.yaml", "-p", "town=Here");
  await vendor.json("publish", "shop", "--as", version);
}

async function carry(name: string, [from, to]: readonly [TestSite, TestSite]): Promise<void> {
  await copyFile(join(from.folder, name), join(to.folder, name));
}

test("a first delivery, and what travels back", async () => {
  await publish("2.9");
  await vendor.json("export", "shop@2.9", "-o", "full.sampan");
  await writeFile(join(vendor.folder, "vendor.pem"), `${(await vendor.run(["key", "show"])).out}\n`);
  for (const name of ["full.sampan", "vendor.pem"]) await carry(name, [vendor, site]);
  await site.json("key", "trust", "vendor.pem", "--name", "Acme");
  await site.json("import", "full.sampan");
  await site.json("install", "shop@2.9", "--note", "first");
  await site.json("component", "scale", "shop", "web", "2");
  const state = await site.run(["site", "state", "-o", "state.json"]);
  expect([state.exitCode, state.out]).toEqual([0, expect.stringMatching(/^site state 1 of Harbour/)]);
  expect(state.out).toContain("runs shop 2.9 in default/shop (installed)");
  const receipt = await site.run(["site", "receipt", "-o", "receipt.json"]);
  expect(receipt.out).toContain("install of shop in default/shop, 2.9, succeeded");
  expect((await site.run(["site", "receipt", "--since", "2"])).out).toContain('"payloadType"');
  for (const name of ["state.json", "receipt.json"]) await carry(name, [site, vendor]);
});

test("a file that travels back is looked into without a server", async () => {
  await writeFile(join(vendor.folder, "site.pem"), `${(await site.run(["key", "show"])).out}\n`);
  const offline = ["--server", "http://127.0.0.1:9"];
  const verified = await vendor.run(["ledger", "verify", "state.json", "--key", "site.pem", ...offline]);
  expect([verified.exitCode, verified.out]).toEqual([
    0,
    expect.stringContaining("Signed by the key that you gave."),
  ]);
  const other = await vendor.run(["ledger", "verify", "state.json", "--key", "vendor.pem", ...offline]);
  expect([other.exitCode, other.err]).toEqual([3, expect.stringContaining("LEDGER_KEY_CHANGED")]);
  const cut = (await readFile(join(vendor.folder, "state.json"), "utf8")).slice(0, 500);
  await writeFile(join(vendor.folder, "cut.json"), cut);
  expect((await vendor.run(["ledger", "verify", "cut.json", ...offline])).err).toContain("LEDGER_UNREADABLE");
});

test("the ledger knows the site", async () => {
  expect((await vendor.run(["ledger", "list"])).out).toContain("No sites yet");
  const added = await vendor.run(["ledger", "add", "state.json", "receipt.json"]);
  expect([added.exitCode, added.out]).toEqual([
    0,
    expect.stringMatching(/state 1 of Harbour .*\n {2}Harbour is known by the key sha256:.*\n.*receipt 2 of/),
  ]);
  expect((await vendor.run(["ledger", "add", "state.json"])).out).toContain("nothing new");
  await vendor.run(["ledger", "note", "Harbour", "third floor"]);
  const shown = await vendor.run(["ledger", "show", "harbour"]);
  expect(shown.out).toContain("note: third floor");
  expect(shown.out).toContain("import of full");
  expect((await vendor.run(["ledger", "list"])).out).toMatch(/Harbour .* shop 2\.9 /);
  expect((await vendor.run(["ledger", "show", "Nowhere"])).err).toContain("the ledger knows no site");
});

test("an increment for the site is planned, made, taken in and installed", async () => {
  await publish("3.0", ", TOWN: { parameter: town }");
  const planned = await vendor.run(["export", "shop@3.0", "--for", "Harbour", "--plan"]);
  expect([planned.exitCode, planned.err]).toEqual([0, ""]);
  expect(planned.out).toMatch(/^increment, about .*, on shop 2\.9\n/);
  expect(planned.out).toContain("media: 1 × cd, or 1 × dvd, or 1 × fat32");
  expect(planned.out).toMatch(/web +shop\/web:3\.0 +1 +0 +0 +1 /);
  expect(planned.out).toContain("default/shop: shop 2.9 → 3.0");
  expect(planned.out).toContain("must be answered: town (Town)");
  expect(planned.out).toContain("components.web.replicas: the site keeps 2; the release offers 1");
  const small = await vendor.json<{ readonly path: string; readonly sizeBytes: number }>(
    "export",
    "shop@3.0",
    "--for",
    "Harbour",
  );
  expect(small.path).toBe(join(vendor.folder, "shop-3.0-for-Harbour.sampan"));
  const plan = await vendor.json<{ readonly sizeBytes: number }>(
    "export",
    "shop@3.0",
    "--from-state",
    "state.json",
    "--plan",
  );
  expect(Math.abs(plan.sizeBytes - small.sizeBytes) / small.sizeBytes).toBeLessThan(0.05);
  const named = await vendor.json<{ readonly path: string }>("export", "shop@3.0", "--from", "shop@2.9");
  expect(named.path).toBe(join(vendor.folder, "shop-3.0-from-2.9.sampan"));
  await carry("shop-3.0-for-Harbour.sampan", [vendor, site]);
  await site.json("import", "shop-3.0-for-Harbour.sampan");
  await site.json("upgrade", "shop", "-p", "town=There", "--note", "second");
  await site.json("site", "state", "-o", "state.json", "--yes");
  await carry("state.json", [site, vendor]);
  await vendor.json("ledger", "add", "state.json");
  expect((await vendor.run(["ledger", "show", "Harbour"])).out).toContain("runs shop 3.0 in default/shop");
  expect((await vendor.run(["ledger", "remove", "Harbour", "--yes"])).out).toBe("Forgot Harbour.");
});

test("a site without the base refuses the increment, and says what it wants", async () => {
  const other = await TestSite.start();
  try {
    await other.setUp("Island");
    await copyFile(join(vendor.folder, "shop-3.0-from-2.9.sampan"), join(other.folder, "next.sampan"));
    await copyFile(join(vendor.folder, "vendor.pem"), join(other.folder, "vendor.pem"));
    await other.json("key", "trust", "vendor.pem", "--name", "Acme");
    const refused = await other.run(["import", "next.sampan"]);
    expect([refused.exitCode, refused.err]).toEqual([5, expect.stringContaining("BUNDLE_BASE_MISSING")]);
    expect(refused.err).toContain("import shop 2.9 first");
    expect((await other.run(["template", "list"])).out).toContain("The library is empty");
  } finally {
    await other[Symbol.asyncDispose]();
  }
});
