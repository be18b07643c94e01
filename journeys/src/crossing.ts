import { Bookshop, freePort, type Order } from "./bookshop.ts";
import type { Place } from "./place.ts";
import { SampanServer } from "./sampan-server.ts";
import type { SiteEngine } from "./site-engine.ts";
import { TwoSides } from "./two-sides.ts";

/** What the site's shop listens on: the template's default, which the installer is not asked to change. */
const SHOP_PORT = 8080;
const SITE_LISTEN = "127.0.0.1:7070";

/** The two sides with the bookshop on them, and what the acts pass on to later ones. */
export class Crossing implements AsyncDisposable {
  readonly sides: TwoSides;
  readonly site: SampanServer;
  readonly vendorPort: number;
  readonly vendorShop: Bookshop;
  readonly siteShop: Bookshop;
  readonly siteOrders: Order[] = [];
  readonly vendorOrders: Order[] = [];

  private constructor(sides: TwoSides, vendorPort: number) {
    this.sides = sides;
    this.site = new SampanServer(sides.story, sides.sitePlace, {
      name: "site",
      listen: SITE_LISTEN,
      importFrom: [sides.stick],
    });
    this.vendorPort = vendorPort;
    this.vendorShop = new Bookshop(this.vendorPlace, vendorPort);
    this.siteShop = new Bookshop(this.sitePlace, SHOP_PORT);
  }

  static async open(): Promise<Crossing> {
    const vendorPort = await freePort();
    return new Crossing(await TwoSides.open(), vendorPort);
  }

  get vendor(): SampanServer {
    return this.sides.vendor;
  }

  get vendorPlace(): Place {
    return this.sides.vendor.place;
  }

  get sitePlace(): SiteEngine {
    return this.sides.sitePlace;
  }

  /** Where the vendor's exports are written, before they are carried. */
  get vendorFolder(): string {
    return this.sides.story.path;
  }

  get stick(): string {
    return this.sides.stick;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.site.stop();
    } finally {
      await this.sides[Symbol.asyncDispose]();
    }
  }
}
