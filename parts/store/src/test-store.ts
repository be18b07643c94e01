import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "@sampan/template";
import { onTestFinished } from "vitest";
import { openStore, type Store } from "./open-store.ts";
import { testSeal } from "./test-seal.ts";

/** A clock that stands still until it is told to move. */
export class TestClock {
  #ms = Date.UTC(2026, 0, 1);
  readonly now = (): Date => new Date(this.#ms);
  pass(ms: number): void {
    this.#ms += ms;
  }
}

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sampan-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openTestStore(
  path?: string,
  clock: TestClock = new TestClock(),
): Promise<{ store: Store; clock: TestClock; path: string }> {
  const file = path ?? join(await tempFolder(), "store.db");
  let count = 0;
  const store = await openStore({
    path: file,
    now: clock.now,
    newId: () => `id-${process.pid}-${String(++count).padStart(5, "0")}`,
    seal: testSeal,
  });
  onTestFinished(() => store.close());
  return { store, clock, path: file };
}

export const bookshop: App = {
  apiVersion: "sampan/v1",
  kind: "App",
  name: "bookshop",
  components: { web: { kind: "stateless", image: "web:1", env: { KEY: { secret: "hunter2" } } } },
};

export const noValues = { parameters: {}, generated: {}, hostPorts: {} };

export const everything = { kind: "all" } as const;

/** A store with a team and an app in it. */
export async function openStoreWithApp() {
  const opened = await openTestStore();
  const team = await opened.store.teams.create({ name: "shop" });
  const app = await opened.store.apps.create({
    teamId: team.id,
    name: "bookshop",
    slug: "shop-bookshop",
    spec: bookshop,
    values: { ...noValues, generated: { "db.PASSWORD": "s3cret" } },
  });
  return { ...opened, team, app };
}
