import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { REPOSITORY } from "./clean-environment.ts";
import { imageIdOf } from "./engine-api.ts";
import type { Place } from "./place.ts";
import { run, until } from "./processes.ts";

/** The example that the stories carry: its images, and its shop as a customer meets it. */

export const COMPONENTS: Readonly<Record<BookshopVersion, readonly string[]>> = {
  "2.9": ["catalog", "mariadb", "orders", "redis", "search", "web"],
  "3.0": ["catalog", "mariadb", "orders", "recommend", "redis", "search", "web"],
  "3.1": ["catalog", "mariadb", "orders", "recommend", "redis", "search", "web"],
  "3.2": ["catalog", "mariadb", "orders", "recommend", "redis", "search", "web"],
};
export type BookshopVersion = "2.9" | "3.0" | "3.1" | "3.2";

const BASE_IMAGE = "debian:bookworm-slim";
const ANSWERS_WITHIN_MS = 60_000;

export function bookshopText(version: BookshopVersion): string {
  return join(REPOSITORY, "examples", "bookshop", version, "app.yaml");
}

/** Image IDs by component, as an engine that the images were built in knows them. */
export async function bookshopImages(
  dockerHost: string,
  version: BookshopVersion,
): Promise<Readonly<Record<string, string>>> {
  const ids = await Promise.all(
    COMPONENTS[version].map(async (component) => {
      const id = await imageIdOf(dockerHost, `bookshop/${component}:${version}`);
      return id === undefined ? [] : [[component, id] as const];
    }),
  );
  return Object.fromEntries(ids.flat());
}

/** The image that all examples are built from: made of packages where it is absent. */
export async function buildBaseImage(dockerHost: string): Promise<void> {
  if ((await imageIdOf(dockerHost, BASE_IMAGE)) !== undefined) return;
  const env = { ...definedEnvironment(), DOCKER_HOST: dockerHost };
  await run([process.execPath, join(REPOSITORY, "tools/base-image/make.mjs")], { env });
}

/** Makes the images of the versions as their sources are now: what did not change takes a second or two. Gives how many were not there. */
export async function buildBookshop(
  dockerHost: string,
  versions: readonly BookshopVersion[] = ["2.9", "3.0"],
): Promise<number> {
  const env = { ...definedEnvironment(), DOCKER_HOST: dockerHost };
  await buildBaseImage(dockerHost);
  const builder = join(REPOSITORY, "examples", "bookshop", "build.mjs");
  let built = 0;
  for (const version of versions) {
    const held = await bookshopImages(dockerHost, version);
    built += COMPONENTS[version].filter((component) => held[component] === undefined).length;
    await run([process.execPath, builder, "--version", version], { env });
  }
  return built;
}

/** A build needs the machine's own settings: proxies, certificates, the npm registry. */
function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export interface Order {
  readonly id: number;
  readonly reference: string;
}

/** The shop at an address, asked from within a place. */
export class Bookshop {
  readonly #place: Pick<Place, "fetch">;
  readonly #origin: string;

  constructor(place: Pick<Place, "fetch">, port: number) {
    this.#place = place;
    this.#origin = `http://127.0.0.1:${port}`;
  }

  async ask<T>(path: string, body?: unknown): Promise<T> {
    const post = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const answer = await this.#place.fetch(`${this.#origin}${path}`, body === undefined ? {} : post);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 500)}`);
    return (answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text) as T;
  }

  async order(customer: string, ...bookIds: readonly number[]): Promise<Order> {
    const items = bookIds.map((bookId) => ({ bookId, quantity: 1 }));
    const body = { reference: randomUUID(), customer, note: "", items };
    return (await this.ask<{ readonly order: Order }>("/api/orders/orders", body)).order;
  }

  async orders(customer: string): Promise<readonly Order[]> {
    const query = new URLSearchParams({ customer });
    return (await this.ask<{ readonly orders: readonly Order[] }>(`/api/orders/orders?${query}`)).orders;
  }

  /** The page, the books and the search answer as they should. */
  async assertServes(): Promise<void> {
    assert.match(await this.ask<string>("/"), /<main/);
    const { books } = await this.ask<{ readonly books: readonly { readonly titleZh: string }[] }>(
      "/api/catalog/books",
    );
    assert.equal(books.length, 44);
    assert.equal(books[26]?.titleZh, "红楼梦");
    const query = new URLSearchParams({ q: "科幻" });
    const found = await this.ask<{ readonly books: readonly { readonly title: string }[] }>(
      `/api/search/books?${query}`,
    );
    assert.ok(
      found.books.some(({ title }) => title === "The Time Machine"),
      "the search knows its synonyms",
    );
  }

  async assertHolds(customer: string, orders: readonly Order[]): Promise<void> {
    const listed = (await this.orders(customer)).map(({ id }) => id).sort((left, right) => left - right);
    const expected = orders.map(({ id }) => id).sort((left, right) => left - right);
    assert.deepEqual(listed, expected, `the orders of ${customer}`);
  }

  async recommendations(bookId: number): Promise<number> {
    return (await this.ask<{ readonly books: readonly unknown[] }>(`/api/recommend/books/${bookId}`)).books
      .length;
  }

  async untilServes(): Promise<void> {
    await until("the shop answers", ANSWERS_WITHIN_MS, async () => {
      await this.assertServes();
      return true;
    });
  }
}

/** A port of this machine that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
}
