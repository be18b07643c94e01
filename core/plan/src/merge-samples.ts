import { digestFromHex } from "@sampan/content";
import type { App, AppBody, Component } from "@sampan/template";

/** Releases and sites for tests of this room: a small shop. */
export function image(name: string, hex: string) {
  return { id: digestFromHex(hex.repeat(64)), name };
}

export const shopOld: AppBody = {
  parameters: { domain: { type: "string", default: "shop.local" } },
  components: {
    db: {
      id: "id-db",
      kind: "stateful",
      image: image("shop/db:1", "1"),
      env: { ROOT_PASSWORD: { generate: {} } },
      connection: { DB_HOST: "db", DB_PASSWORD: { secret: "hunter2" } },
      volumes: { data: { path: "/data", kind: "persistent" } },
    },
    orders: {
      id: "id-orders",
      kind: "stateless",
      image: image("shop/orders:2.9", "2"),
      env: { PAGE_SIZE: "20", CURRENCY: "EUR", OLD_KEY: "x", DOMAIN: { parameter: "domain" } },
      files: { "/etc/orders.conf": { content: "level = info\nretries = 3\n" } },
      ports: { http: { port: 8080, protocol: "http" }, admin: { port: 9000, protocol: "http" } },
      needs: ["db"],
      replicas: 2,
      command: ["node", "main.js"],
    },
    legacy: { id: "id-legacy", kind: "stateless", image: image("shop/legacy:1", "3") },
  },
  routes: { main: { kind: "http", match: { path: "/" }, to: [{ component: "orders", port: "http" }] } },
};

const { db, orders } = shopOld.components as { readonly db: Component; readonly orders: Component };

export const shopNew: AppBody = {
  parameters: {
    domain: { type: "string", title: "Domain", default: "shop.example" },
    theme: { type: "string", default: "dark" },
  },
  components: {
    db,
    orders: {
      ...orders,
      image: image("shop/orders:3.0", "4"),
      env: { PAGE_SIZE: "50", CURRENCY: "USD", DOMAIN: { parameter: "domain" }, TRACE: "off" },
      files: {
        "/etc/orders.conf": { content: "level = warn\nretries = 3\n" },
        "/etc/new.conf": { content: "new\n" },
      },
      ports: { http: { port: 8081, protocol: "http" } },
      needs: ["db", "recommend"],
      replicas: 3,
      command: ["node", "server.js"],
      probes: { ready: { http: { port: 8081, path: "/health" } } },
    },
    recommend: {
      id: "id-recommend",
      kind: "stateless",
      image: image("shop/recommend:3.0", "5"),
      needs: ["db"],
    },
    search: { id: "id-search", kind: "stateless", image: image("shop/search:3.0", "6") },
  },
  routes: {
    main: { kind: "http", match: { path: "/shop" }, to: [{ component: "orders", port: "http" }] },
    find: { kind: "http", match: { path: "/find" }, to: [{ component: "search", port: "http" }] },
  },
};

export const emptySite: App = { apiVersion: "sampan/v1", kind: "App", name: "shop", components: {} };
