import type { Digest } from "@sampan/content";
import type { App, Component } from "@sampan/template";
import { updateApp } from "./apps.ts";
import { exportBundle } from "./export.ts";
import { importRelease } from "./import.ts";
import { install } from "./install.ts";
import type { Parts } from "./parts.ts";
import { publishShop, runShop, shop } from "./test-shop.ts";
import { ann, build, quiet, type TestSite, testSite } from "./test-site.ts";
import { upgrade } from "./upgrade.ts";

/** For tests: a vendor that publishes versions of the shop, and sites that get them by file. */

/** A site with an id and an enterprise of its own. */
export async function namedSite(id: string): Promise<TestSite> {
  const site = await testSite();
  await site.parts.store.settings.set("enterprise", id.toUpperCase());
  const parts: Parts = { ...site.parts, site: { ...site.parts.site, id } };
  return { ...site, parts };
}

/** Runs and publishes the shop at the vendor, as this version; `image` and `env` are of its web front. Gives the release. */
export async function release(
  vendor: TestSite,
  version: string,
  { image, env, ...change }: Partial<App> & Partial<Pick<Component, "image" | "env">> = {},
): Promise<Digest> {
  const given = shop(version === "2.9" ? "2.9" : "3.0", change);
  const web = given.components.web!;
  if (typeof image === "string") build(vendor, image);
  const changed = { ...web, ...(image && { image }), env: { ...web.env, ...env } };
  const app: App = { ...given, components: { ...given.components, web: changed } };
  const known = await vendor.parts.store.apps.findByName(vendor.teamId, "shop");
  if (known === undefined) {
    await runShop(vendor, app);
    return (await publishShop(vendor, "shop", version)).digest;
  }
  const answers = { parameters: answersOf(app) };
  await updateApp(vendor.parts, { by: ann, app: await vendor.app("shop"), given: { app }, answers }, {});
  await vendor.settle();
  return (await publishShop(vendor, "shop", version, "shop-template")).digest;
}

/** The vendor has some answer to every question. */
function answersOf({ parameters = {} }: App): Record<string, string> {
  return Object.fromEntries(Object.keys(parameters).map((name) => [name, "something"]));
}

let files = 0;

/** Writes a bundle at the vendor, and takes it in at the site. */
export async function carry(
  vendor: TestSite,
  site: TestSite,
  wish: Pick<Parameters<typeof exportBundle>[2], "releases"> & Partial<Parameters<typeof exportBundle>[2]>,
) {
  files += 1;
  const all = { level: 3, unsigned: false, fileId: `bdl_${files}`, ...wish };
  const { file } = await exportBundle(vendor.parts, vendor.files, all, quiet);
  return { file, imported: await takeBundle(vendor, site, file) };
}

export async function takeBundle(
  vendor: TestSite,
  site: TestSite,
  file: { readonly id: string; readonly name: string },
) {
  const { publicKeyPem, signer } = vendor.parts.site;
  const { keyId } = signer;
  await site.parts.store.trustedKeys.put({ keyId, name: "vendor", publicKeyPem, addedBy: "ann" });
  return await importRelease(
    site.parts,
    {
      path: vendor.files.contentPath(file.id, file.name),
      fileName: file.name,
      scope: "team",
      teamId: site.teamId,
      allowUnsigned: false,
      by: ann,
    },
    quiet,
  );
}

export async function installAt(
  site: TestSite,
  digest: Digest,
  parameters: Readonly<Record<string, string>> = {},
): Promise<void> {
  await install(site.parts, { by: ann, release: digest, teamId: site.teamId, parameters }, {});
  await site.settle();
}

export async function upgradeAt(
  site: TestSite,
  digest: Digest,
  parameters: Readonly<Record<string, string>> = {},
): Promise<void> {
  const app = await site.app("shop");
  const { items } = await site.parts.store.installations.list({ kind: "all" }, { appId: app.id });
  const wish = { by: ann, app, installation: items[0]!, release: digest, decisions: {}, parameters };
  await upgrade(site.parts, { ...wish, onFailure: "return" }, {});
  await site.settle();
}
