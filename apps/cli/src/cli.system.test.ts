import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pushTestImage } from "./push-test-image.ts";
import { TestSite } from "./test-site.ts";

/** One story, from a vendor's app.yaml to a site's rollback: real servers over memory parts, every word said on the command line. */

let vendor: TestSite;
let site: TestSite;

beforeAll(async () => {
  vendor = await TestSite.start();
  site = await TestSite.start();
});
afterAll(async () => {
  await vendor?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

function appText(version: string, env: string): string {
  return `apiVersion: sampan/v1
kind: App
name: shop
version: "${version}"
parameters:
  http_port: { type: int, title: Port of the shop, default: 8080 }
components:
  web:
    kind: stateless
    image: shop/web:${version}
    needs: [db]
    env: { ${env} }
    ports:
      http: { port: 8080, protocol: http, exposed: true, hostPort: { parameter: http_port } }
  db:
    kind: stateful
    image: shop/db:1
    connection: { DB_HOST: db, DB_PASSWORD: { generate: {} } }
    volumes:
      data: { path: /data, kind: persistent }
`;
}

async function push(repository: string, tag: string): Promise<string> {
  const registry = { url: vendor.url, token: await vendor.token() };
  return await pushTestImage(registry, { repository, tag, files: { "serve.txt": `${repository} ${tag}` } });
}

async function carry(name: string): Promise<void> {
  await copyFile(join(vendor.folder, name), join(site.folder, name));
}

interface Ids {
  readonly items: readonly { readonly id: string }[];
}

interface AppView {
  readonly health: string;
  readonly installations: readonly {
    readonly version: string;
    readonly available?: { readonly version: string };
  }[];
  readonly componentsView: readonly {
    readonly name: string;
    readonly ready: number;
    readonly imageName: string;
    readonly instances: readonly { readonly imageId: string }[];
  }[];
}

async function imageOf(where: TestSite, component: string): Promise<string | undefined> {
  const view = await where.json<AppView>("observe", "shop");
  return view.componentsView.find(({ name }) => name === component)?.instances[0]?.imageId;
}

test("two servers are set up, each once", async () => {
  for (const [where, enterprise] of [
    [vendor, "Acme"],
    [site, "Harbour"],
  ] as const) {
    expect(await where.setUp(enterprise)).toEqual({
      exitCode: 0,
      out: `admin is the administrator of ${enterprise}; team default is ready. You are logged in.`,
      err: "",
    });
  }
  const again = await vendor.setUp("Acme");
  expect([again.exitCode, again.err]).toEqual([2, expect.stringContaining("fix: sampan login")]);
  expect((await vendor.run(["whoami"])).out).toBe(
    "admin, administrator of the enterprise (Acme)\n  default: administrator",
  );
  expect(((await stat(join(vendor.folder, "session.json"))).mode & 0o077).toString(8)).toBe("0");
});

let web29: string;

test("the vendor applies an app, and sees it run", async () => {
  await writeFile(join(vendor.folder, "app.yaml"), appText("2.9", "GREETING: hello"));
  const absent = await vendor.run(["apply", "-f", "app.yaml"]);
  expect(absent.exitCode).not.toBe(0);
  expect(absent.err).toContain("components.db.image");
  web29 = await push("shop/web", "2.9");
  await push("shop/db", "1");
  const planned = await vendor.run(["plan", "-f", "app.yaml"]);
  expect(planned.out).toContain("plan for default-shop, generation 1: 2 to fetch, 2 to start");
  expect((await vendor.run(["app", "list"])).out).toContain("No apps yet");
  const applied = await vendor.run(["apply", "-f", "app.yaml", "-p", "http_port=9090"]);
  expect([applied.exitCode, applied.out]).toEqual([0, "Done: everything that changed is healthy."]);
  expect(applied.err).toContain("✓ s8 ready web 1");
  const shown = await vendor.run(["app", "show", "shop"]);
  expect(shown.out).toContain("web        stateless  running  1/1    shop/web:2.9  9090→http");
  expect(await imageOf(vendor, "web")).toBe(web29);
});

test("the vendor publishes, and exports one file that needs no server to be looked into", async () => {
  const report = await vendor.json<{ readonly findings: readonly { readonly level: string }[] }>(
    "publish",
    "shop",
    "--report",
  );
  expect(report.findings.map(({ level }) => level)).toEqual(["note"]);
  const published = await vendor.run(["publish", "shop", "--as", "2.9", "--alias", "秋"]);
  expect([published.exitCode, published.out]).toEqual([
    0,
    expect.stringMatching(/^Published shop 2\.9 {2}sha256:[0-9a-f]{64}$/),
  ]);
  const twice = await vendor.run(["publish", "shop", "--as", "2.9"]);
  expect([twice.exitCode, twice.err]).toEqual([
    3,
    expect.stringContaining("Version 2.9 was published before"),
  ]);

  const exported = await vendor.run(["export", "shop@2.9"]);
  expect([exported.exitCode, exported.out]).toEqual([
    0,
    expect.stringContaining(join(vendor.folder, "shop-2.9.sampan")),
  ]);
  expect((await vendor.run(["bundle", "list"])).out).toBe("No bundle files lie on the server.");
  await writeFile(join(vendor.folder, "vendor.pem"), `${(await vendor.run(["key", "show"])).out}\n`);

  const inspected = await vendor.run([
    "bundle",
    "inspect",
    "shop-2.9.sampan",
    "--server",
    "http://127.0.0.1:9",
  ]);
  expect(inspected.out).toMatch(/release shop 2\.9 \(秋\) {2}sha256:[0-9a-f]{64}\n2 images/);
  const verified = await vendor.run(["bundle", "verify", "shop-2.9.sampan", "--key", "vendor.pem"]);
  expect([verified.exitCode, verified.out]).toEqual([
    0,
    expect.stringContaining("signed by a key that you gave"),
  ]);
});

test("a damaged file is told from a whole one, and from none", async () => {
  const bytes = await readFile(join(vendor.folder, "shop-2.9.sampan"));
  bytes[bytes.length - 2000] = (bytes[bytes.length - 2000] ?? 0) ^ 1;
  await writeFile(join(site.folder, "damaged.sampan"), bytes);
  await writeFile(join(site.folder, "short.sampan"), bytes.subarray(0, 5000));
  await writeFile(join(site.folder, "none.sampan"), "not a bundle");
  for (const [name, exitCode] of [
    ["damaged", 6],
    ["short", 6],
    ["none", 6],
    ["absent", 4],
  ] as const)
    expect((await site.run(["bundle", "verify", `${name}.sampan`])).exitCode, name).toBe(exitCode);
  expect((await site.run(["import", "none.sampan"])).err).toContain("BUNDLE_");
});

test("the site refuses an unknown signer, and says how to trust it", async () => {
  await carry("shop-2.9.sampan");
  await carry("vendor.pem");
  const refused = await site.run(["import", "shop-2.9.sampan"]);
  expect([refused.exitCode, refused.out]).toEqual([3, ""]);
  expect(refused.err).toContain("error[BUNDLE_UNTRUSTED]");
  expect(refused.err).toContain("sampan key trust FILE --name VENDOR");
  const json = await site.run(["import", "shop-2.9.sampan", "--json"]);
  expect(JSON.parse(json.err).error.code).toBe("BUNDLE_UNTRUSTED");
  expect((await site.run(["template", "list"])).out).toContain("The library is empty");
  const trusted = await site.run(["key", "trust", "vendor.pem", "--name", "Acme"]);
  expect(trusted.out).toContain("Bundles signed by Acme");
});

test("an upload that broke off goes on, and nothing is left of it on the server", async () => {
  const { document: _, ...bundle } = await site.json<{
    readonly manifestDigest: string;
    readonly document: unknown;
  }>("bundle", "inspect", "shop-2.9.sampan");
  const bytes = await readFile(join(site.folder, "shop-2.9.sampan"));
  const headers = { authorization: `Bearer ${await site.token()}`, "content-type": "application/json" };
  const name = `shop-2.9.${bundle.manifestDigest.slice(7, 19)}.sampan`;
  const begun = await fetch(`${site.url}/api/v1/bundles`, {
    method: "POST",
    headers,
    body: JSON.stringify({ name, sizeBytes: bytes.length }),
  });
  const { id } = (await begun.json()) as { readonly id: string };
  await fetch(`${site.url}/api/v1/bundles/${id}/content?offset=0`, {
    method: "PATCH",
    headers: { ...headers, "content-type": "application/octet-stream" },
    body: bytes.subarray(0, 3000),
  });
  expect((await site.run(["bundle", "list"])).out).toContain(`${id}  ${name}  uploading`);
  const imported = await site.run(["import", "shop-2.9.sampan"]);
  expect([imported.exitCode, imported.out]).toEqual([
    0,
    expect.stringContaining("Imported shop@2.9 from shop-2.9.sampan"),
  ]);
  expect(imported.err).toContain("shop 2.9");
  expect((await site.run(["bundle", "list"])).out).toBe("No bundle files lie on the server.");
});

test("the site installs what it imported: the same release, the same images", async () => {
  const digest = async (where: TestSite) =>
    (await where.json<{ readonly digest: string }>("release", "show", "shop@2.9")).digest;
  expect(await digest(site)).toBe(await digest(vendor));
  const planned = await site.run(["install", "shop", "--plan"]);
  expect(planned.out).toContain("2 to fetch, 2 to start");
  const silent = await site.run(["install", "shop@2.9", "-p", "http_port=9191"]);
  expect([silent.exitCode, silent.err]).toEqual([2, expect.stringContaining("error[NOTE_REQUIRED]")]);
  const installed = await site.run([
    "install",
    "shop@2.9",
    "-p",
    "http_port=9191",
    "--note",
    "first delivery",
  ]);
  expect([installed.exitCode, installed.out]).toEqual([0, "Done: everything that changed is healthy."]);
  expect(await imageOf(site, "web")).toBe(web29);
  const wrong = await site.run(["install", "shop", "--app", "shop-two", "-p", "http_prt=1", "--note", "n"]);
  expect([wrong.exitCode, wrong.err]).toEqual([2, expect.stringContaining("did you mean `http_port`?")]);
  const taken = await site.run(["install", "shop", "-p", "http_port=9192", "--note", "n"]);
  expect([taken.exitCode, taken.err]).toEqual([5, expect.stringContaining("APP_EXISTS")]);
});

test("an upgrade is shown with every property, then done; site values stay", async () => {
  await push("shop/web", "3.0");
  await writeFile(join(vendor.folder, "app.yaml"), appText("3.0", 'GREETING: welcome, EXTRA: "1"'));
  await vendor.json("apply", "-f", "app.yaml");
  await vendor.json("publish", "shop", "--as", "3.0");
  await vendor.json("export", "shop@3.0", "-o", "next.sampan");
  await carry("next.sampan");
  await site.json("import", "next.sampan");
  expect((await site.run(["app", "list"])).out).toContain("shop 2.9 → 3.0");

  const planned = await site.run(["upgrade", "shop", "--plan"]);
  expect(planned.out).toMatch(/~ image +shop\/web:2\.9 \([0-9a-f]{12}\) → shop\/web:3\.0/);
  expect(planned.out).toMatch(/= env GREETING +hello \(offered: welcome\)/);
  expect(planned.out).toContain("--take components.web.env.GREETING");
  expect(planned.out).toMatch(/\+ env EXTRA/);
  const unasked = await site.run(["upgrade", "shop"]);
  expect([unasked.exitCode, unasked.err]).toEqual([3, expect.stringContaining("fix: say --yes")]);
  expect(await imageOf(site, "web")).toBe(web29);

  const upgraded = await site.run([
    "upgrade",
    "shop",
    "--yes",
    "--note",
    "ticket 4711",
    "--take",
    "components.web.env.GREETING",
  ]);
  expect([upgraded.exitCode, upgraded.out]).toEqual([0, "Done: everything that changed is healthy."]);
  expect((await site.json<AppView>("app", "show", "shop")).installations[0]?.version).toBe("3.0");
  expect((await site.run(["app", "text", "shop"])).out).toContain("GREETING: welcome");
  expect((await site.run(["record", "list", "shop"])).out).toMatch(
    /upgrade {2}2\.9 {3}3\.0 +succeeded +admin .* ticket 4711/,
  );
});

test("a rollback goes back to what was", async () => {
  const planned = await site.json<{ readonly changes: readonly { readonly path: string }[] }>(
    "rollback",
    "shop",
    "--plan",
  );
  expect(planned.changes.map(({ path }) => path)).toContain("components.web.image");
  const back = await site.run(["rollback", "shop", "--yes", "--note", "prices were wrong"]);
  expect([back.exitCode, back.out]).toEqual([0, "Done: everything that changed is healthy."]);
  expect(await imageOf(site, "web")).toBe(web29);
  expect((await site.run(["app", "text", "shop"])).out).toContain("GREETING: hello");
  const { items } = await site.json<{
    readonly items: readonly { readonly id: string; readonly kind: string }[];
  }>("record", "list", "shop");
  expect(items.map(({ kind }) => kind)).toEqual(["rollback", "upgrade", "install"]);
  expect((await site.run(["record", "show", items[1]?.id ?? ""])).out).toContain("It can be undone");
});

test("a plan that was kept is done as it was looked at, and refused once the site has moved", async () => {
  await site.json("upgrade", "shop", "--save", "plan.json");
  const done = await site.run(["apply", "plan.json", "--yes", "--note", "approved"]);
  expect([done.exitCode, done.out]).toEqual([0, "Done: everything that changed is healthy."]);
  const again = await site.run(["apply", "plan.json", "--yes", "--note", "approved"]);
  expect([again.exitCode, again.err]).toEqual([5, expect.stringContaining("error[APP_MOVED]")]);
});

test("data is captured, put back and listed", async () => {
  const taken = await site.run(["snapshot", "take", "shop", "--yes"]);
  expect([taken.exitCode, taken.out]).toEqual([0, "Done: everything that changed is healthy."]);
  const { items } = await site.json<Ids>("snapshot", "list", "shop");
  const id = items[0]?.id ?? "";
  expect((await site.run(["snapshot", "show", id])).out).toContain("complete");
  const planned = await site.run(["snapshot", "restore", id, "--plan"]);
  expect(planned.out).toContain("what was written to it since is lost");
  const back = await site.run(["snapshot", "restore", id, "--yes", "--note", "lost orders"]);
  expect([back.exitCode, back.out]).toEqual([0, "Done: everything that changed is healthy."]);
  expect((await site.run(["snapshot", "remove", id, "--yes"])).out).toContain(`Removed ${id}`);
});

test("records are compared, and a report is countersigned and verified without a server", async () => {
  const { items } = await site.json<{
    readonly items: readonly { readonly id: string; readonly kind: string }[];
  }>("record", "list", "shop");
  const [last, first] = items.filter(({ kind }) => kind === "upgrade");
  const same = await site.run(["record", "diff", first?.id ?? "", last?.id ?? ""]);
  expect([same.exitCode, same.out]).toEqual([0, expect.stringContaining("env GREETING")]);
  await site.json("record", "countersign", last?.id ?? "", "--as", "Li Wei", "--remark", "accepted");
  await site.json("record", "report", last?.id ?? "", "--html", "report.html", "--lang", "zh");
  const key = await site.run(["key", "show"]);
  await writeFile(join(site.folder, "site.pem"), `${key.out}\n`);
  const verified = await site.run(["report", "verify", "report.html", "--key", "site.pem"]);
  expect([verified.exitCode, verified.err]).toEqual([0, ""]);
  expect(verified.out).toContain("a key that you gave");
  expect(verified.out).toMatch(/countersigned by Li Wei, .*: not signed/);
  const page = await readFile(join(site.folder, "report.html"), "utf8");
  await writeFile(join(site.folder, "false.html"), page.replace("Li Wei", "Wei Li"));
  const shown = await site.run(["report", "verify", "false.html", "--key", "site.pem"]);
  expect(shown.out).toContain("differs from what was signed");
});

test("an app goes into one file, and comes out of it at another site with its data", async () => {
  await writeFile(join(site.folder, "phrase.txt"), "correct horse battery\n");
  const made = await site.json<{ readonly path: string }>(
    "backup",
    "create",
    "shop",
    "-o",
    "backup.sampan",
    "--passphrase-file",
    "phrase.txt",
  );
  await copyFile(made.path, join(vendor.folder, "backup.sampan"));
  await copyFile(join(site.folder, "site.pem"), join(vendor.folder, "site.pem"));
  const restore = ["backup", "restore", "backup.sampan", "--app", "copy", "--note", "n"];
  const untrusted = await vendor.run([...restore, "--passphrase-file", "-"], {
    stdin: "correct horse battery",
  });
  expect([untrusted.exitCode, untrusted.err]).toEqual([3, expect.stringContaining("BUNDLE_UNTRUSTED")]);
  await vendor.json("key", "trust", "site.pem", "--name", "site");
  const wrong = await vendor.run([...restore, "--passphrase-file", "-"], { stdin: "wrong horse battery" });
  expect([wrong.exitCode, wrong.err]).toEqual([3, expect.stringContaining("IDENTITY_PASSPHRASE_WRONG")]);
  const back = await vendor.run([...restore, "--passphrase-file", "-"], { stdin: "correct horse battery" });
  expect([back.exitCode, back.out]).toEqual([0, expect.stringContaining("Restored copy from backup.sampan")]);
  expect((await vendor.run(["app", "list"])).out).toMatch(/copy +default +running/);
});

test("the rest of the nouns answer", async () => {
  expect((await site.run(["site"])).out).toContain("engine: memory 1");
  expect((await site.run(["component", "logs", "shop", "web", "--tail", "5"])).out).toContain("web/1");
  expect((await site.run(["component", "stats", "shop", "web"])).out).toContain("INSTANCE");
  const scaled = await site.run(["component", "scale", "shop", "db", "2", "--plan"]);
  expect([scaled.exitCode, scaled.err]).toEqual([2, expect.stringContaining("one replica")]);
  expect((await site.run(["app", "stop", "shop"])).exitCode).toBe(0);
  expect((await site.json<AppView>("app", "show", "shop")).health).toBe("stopped");
  expect((await site.run(["app", "start", "shop"])).exitCode).toBe(0);
  expect((await site.run(["hold", "check"])).out).toBe("Everything in the hold is whole.");
  expect((await site.run(["hold", "prune", "--plan"])).exitCode).toBe(0);
  expect(
    (await site.run(["user", "create", "ada", "--password-stdin"], { stdin: "another long password\n" }))
      .exitCode,
  ).toBe(0);
  expect((await site.run(["team", "member", "ada", "viewer"])).out).toBe("ada is viewer in default.");
  const token = await site.run(["token", "create", "ci", "--days", "1"]);
  expect((await site.run(["whoami", "--token", token.out])).exitCode).toBe(0);
  expect((await site.run(["app", "remove", "shop", "--yes"])).out).toBe("Removed shop.");
  expect((await site.run(["app", "list"])).out).toContain("No apps yet");
  expect((await site.run(["logout"])).exitCode).toBe(0);
  expect((await site.run(["whoami"])).exitCode).toBe(3);
});
