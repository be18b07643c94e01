import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertProblem, stateOf, type ToldProblem } from "./bad-input.ts";
import {
  Bookshop,
  type BookshopVersion,
  bookshopText,
  buildBookshop,
  freePort,
  type Order,
} from "./bookshop.ts";
import { askEngine, containersOf } from "./engine-api.ts";
import type { SampanServer } from "./sampan-server.ts";
import { TwoSides } from "./two-sides.ts";

const VERSIONS: readonly BookshopVersion[] = ["2.9", "3.0", "3.1", "3.2"];
/** Ends soon after each start: it is published all the same, by somebody who knows better. */
const BROKEN = "3.2";
const SHOP_PORT = 8080;

export interface PropertyChange {
  readonly path: string;
  readonly action: "add" | "change" | "remove" | "keep";
  readonly why: string;
}

/** What `--plan` and the changing commands give with `--json`, as far as the stories look at it. */
export interface Changed {
  readonly recordId: string;
  readonly changes: readonly PropertyChange[];
  readonly pulledIn: readonly { readonly component: string; readonly because: string }[];
  readonly remarks: readonly string[];
  readonly data?: {
    readonly capture: readonly { readonly component: string; readonly live: boolean }[];
    readonly restore: readonly { readonly component: string; readonly volume: string }[];
  };
}

export interface RecordView {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly result?: string;
  readonly note?: string;
  readonly dataSnapshotId?: string;
}

/** A site with every release of the bookshop in its library, cut off, and the shop that is installed there. */
export class UpgradeStory implements AsyncDisposable {
  readonly sides: TwoSides;
  readonly site: SampanServer;
  readonly shop: Bookshop;
  readonly origin = `http://127.0.0.1:${SHOP_PORT}`;

  private constructor(sides: TwoSides, site: SampanServer) {
    this.sides = sides;
    this.site = site;
    this.shop = new Bookshop(sides.sitePlace, SHOP_PORT);
  }

  static async open(): Promise<UpgradeStory> {
    const sides = await TwoSides.open();
    try {
      await sides.setUpVendor();
      const [site] = await Promise.all([sides.newSite("site"), publishAll(sides)]);
      await site.do(["import", bundleOf(sides), "--on-server"]);
      return new UpgradeStory(sides, site);
    } catch (error) {
      await sides[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The containers of each component, by the engine's IDs. */
  async containers(app = "bookshop"): Promise<Readonly<Record<string, readonly string[]>>> {
    const byComponent: Record<string, string[]> = {};
    const appId = await this.appId(app);
    for (const { Id, Labels, State } of await containersOf(this.sides.sitePlace.dockerHost)) {
      const { "dev.sampan.component": component = "", "dev.sampan.app": id = "" } = Labels;
      if (id !== appId) continue;
      assert.equal(State, "running", `${component} runs`);
      byComponent[component] = [...(byComponent[component] ?? []), Id].sort();
    }
    return byComponent;
  }

  async appId(name: string): Promise<string> {
    const { items } = await this.site.client().listApps({ query: { name } });
    const found = items.find((app) => app.name === name);
    if (found === undefined) throw new Error(`there is no app ${name}`);
    return found.id;
  }

  async envOf(component: string): Promise<readonly string[]> {
    const [id] = (await this.containers())[component] ?? [];
    const { Config } = (await askEngine(this.sides.sitePlace.dockerHost, `/containers/${id}/json`)) as {
      readonly Config: { readonly Env: readonly string[] };
    };
    return Config.Env;
  }

  async exec(component: string, ...words: readonly string[]): Promise<string> {
    const command = ["component", "exec", "bookshop", component, "--", ...words];
    return (await this.site.do<{ readonly stdout: string }>(command)).stdout;
  }

  async version(): Promise<string> {
    const { items } = await this.site.client().listInstallations({ query: { limit: "200" } });
    return items.find(({ appName }) => appName === "bookshop")?.version ?? "";
  }

  /** What was done to the shop, newest first. */
  async records(): Promise<readonly RecordView[]> {
    return (await this.site.do<{ readonly items: readonly RecordView[] }>(["record", "list", "bookshop"]))
      .items;
  }

  /** A change that is done, with the reason that the site demands. */
  async change(words: readonly string[], why: string): Promise<Changed> {
    return await this.site.do<Changed>([...words, "--note", why]);
  }

  /** A command that must be refused, with nothing changed by it. */
  async refused(
    words: readonly string[],
    expected: Parameters<typeof assertProblem>[1],
  ): Promise<ToldProblem> {
    const before = await stateOf(this.site);
    const told = assertProblem(await this.site.cli(words), expected);
    assert.deepEqual(await stateOf(this.site), before, `${words.join(" ")} changed something`);
    return told;
  }

  /** A file of the operator's. */
  path(name: string): string {
    return join(this.sides.story.path, name);
  }

  /** As an operator does who changes the app's text. */
  async edit(change: (text: string) => string): Promise<void> {
    const { text } = await this.site.do<{ readonly text: string }>(["app", "text", "bookshop"]);
    const path = this.path("edited.yaml");
    const edited = change(text);
    assert.notEqual(edited, text, "the text is another one");
    await writeFile(path, edited);
    await this.site.do(["apply", "-f", path]);
  }

  /** The version of a service's program that answers now. */
  async serviceVersion(service: "orders" | "catalog"): Promise<string> {
    return (await this.shop.ask<{ readonly version: string }>(`/api/${service}/healthz`)).version;
  }

  async assertHolds(customer: string, orders: readonly Order[]): Promise<void> {
    await this.shop.assertServes();
    await this.shop.assertHolds(customer, orders);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sides[Symbol.asyncDispose]();
  }
}

function bundleOf({ stick }: TwoSides): string {
  return join(stick, "bookshop.sampan");
}

/** All releases of the bookshop in one file on the stick. The last one is published although it does not run. */
async function publishAll(sides: TwoSides): Promise<void> {
  const { vendor } = sides;
  await buildBookshop(vendor.place.dockerHost, VERSIONS);
  const port = `http_port=${await freePort()}`;
  for (const version of VERSIONS) {
    const wait = version === BROKEN ? ["--no-wait"] : [];
    await vendor.do(["apply", "-f", bookshopText(version), "-p", port, ...wait]);
    const accept = version === BROKEN ? ["--accept", "all"] : [];
    await vendor.do(["publish", "bookshop", "--as", version, ...accept]);
  }
  const releases = VERSIONS.map((version) => `bookshop@${version}`);
  await vendor.do(["export", ...releases, "-o", bundleOf(sides), "--level", "1"]);
  await vendor.do(["app", "remove", "bookshop"]);
}
