import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./bookshop.ts";
import type { Cargo } from "./cargo.ts";
import { machineEngine, vendorPlace } from "./place.ts";
import { SampanServer } from "./sampan-server.ts";
import { SiteEngine } from "./site-engine.ts";
import { makeStoryFolder, removeStoryFolder, type StoryFolder } from "./story-folder.ts";
import { rememberVendorSite } from "./vendor-sites.ts";

const KEY_FILE = "vendor.pem";

/** A vendor that makes bundles, and a site's engine on which servers come and go. */
export class TwoSides implements AsyncDisposable {
  readonly story: StoryFolder;
  readonly vendor: SampanServer;
  readonly sitePlace: SiteEngine;
  readonly stick: string;
  readonly #others: SampanServer[] = [];

  private constructor(story: StoryFolder, sitePlace: SiteEngine) {
    this.story = story;
    this.sitePlace = sitePlace;
    this.stick = join(story.path, "stick");
    this.vendor = new SampanServer(story, vendorPlace(machineEngine()), { name: "vendor" });
  }

  static async open(): Promise<TwoSides> {
    const story = await makeStoryFolder();
    try {
      const sides = new TwoSides(story, await SiteEngine.start(story));
      await mkdir(sides.stick);
      return sides;
    } catch (error) {
      await removeStoryFolder(story);
      throw error;
    }
  }

  /** Starts the vendor's server; what it makes in the machine's engine is removed with the story. */
  async setUpVendor(): Promise<void> {
    await this.#startVendor(this.vendor);
    const { publicKeyPem } = await this.vendor.do<{ readonly publicKeyPem: string }>(["key", "show"]);
    await writeFile(join(this.stick, KEY_FILE), publicKeyPem);
  }

  /** One more vendor on the machine's engine, with nothing in its hold. */
  async newVendor(name: string): Promise<SampanServer> {
    const vendor = new SampanServer(this.story, this.vendor.place, { name });
    this.#others.push(vendor);
    await this.#startVendor(vendor);
    return vendor;
  }

  async #startVendor(vendor: SampanServer): Promise<void> {
    await vendor.start();
    await vendor.setUp("Vendor Ltd");
    const { id } = await vendor.do<{ readonly id: string }>(["site"]);
    await rememberVendorSite(this.story, { dockerHost: vendor.place.dockerHost, siteId: id });
  }

  /** As a person does who compared the vendor's key by telephone. */
  async trustVendor(site: SampanServer): Promise<void> {
    await site.do(["key", "trust", join(this.stick, KEY_FILE), "--name", "Vendor Ltd"]);
  }

  /** A new site with nothing in it that trusts the vendor, on the one site engine; its folder may lie elsewhere. */
  async newSite(name: string, options: { readonly dataFolder?: string } = {}): Promise<SampanServer> {
    const site = new SampanServer(this.story, this.sitePlace, { name, importFrom: [this.stick], ...options });
    this.#others.push(site);
    await site.start();
    await site.setUp("Harbour Hospital");
    await this.trustVendor(site);
    return site;
  }

  bundlePath(cargo: Pick<Cargo, "name">, version: string): string {
    return join(this.stick, `${cargo.name}-${version}.sampan`);
  }

  /** Builds, runs, publishes and exports every version of a cargo onto the stick; the vendor's app is removed again, its data with the story. */
  async load(cargo: Cargo): Promise<void> {
    await cargo.build(this.vendor.place.dockerHost);
    const port = `http_port=${await freePort()}`;
    for (const version of cargo.versions) {
      await this.vendor.do(["apply", "-f", await cargo.text(version, this.story.path), "-p", port]);
      await this.vendor.do(["publish", cargo.name, "--as", version]);
      await this.vendor.do(["export", `${cargo.name}@${version}`, "-o", this.bundlePath(cargo, version)]);
    }
    await this.vendor.do(["app", "remove", cargo.name]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Promise.allSettled([this.vendor, ...this.#others].map((server) => server.stop()));
      await this.sitePlace[Symbol.asyncDispose]();
    } finally {
      await removeStoryFolder(this.story);
    }
  }
}
