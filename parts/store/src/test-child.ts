/** A second process on the same database, for tests: `node test-child.ts ACT PATH`. It says on stdout how far it is. */
import { openStore } from "./open-store.ts";
import { runJobs } from "./run-jobs.ts";
import { testSeal } from "./test-seal.ts";

const [act, path] = process.argv.slice(2);
if (act === undefined || path === undefined) throw new Error("usage: test-child.ts ACT PATH");
let count = 0;
const store = await openStore({
  path,
  now: () => new Date(Date.UTC(2026, 0, 1)),
  newId: () => `child-${process.pid}-${++count}`,
  seal: testSeal,
});
const say = (line: string) => process.stdout.write(`${line}\n`);

const acts: Readonly<Record<string, () => Promise<void>>> = {
  /** Runs a job half, saves where it is, and never comes back. */
  async hang() {
    const handler = async (run: {
      log(text: string): Promise<void>;
      saveCheckpoint(c: unknown): Promise<void>;
    }) => {
      await run.log("half done");
      await run.saveCheckpoint({ done: 5 });
      say("hanging");
      await new Promise(() => setInterval(() => {}, 1000));
    };
    const { signal } = new AbortController();
    const now = () => new Date(Date.UTC(2026, 0, 1));
    await runJobs(store, { copy: handler }, { workerId: "child", concurrency: 1, signal, now });
  },

  /** Begins a data snapshot, notes one of its volumes, and never comes back. */
  async capture() {
    const { id: teamId } = await store.teams.create({ name: "shop" });
    const of = { id: "snap-1", appId: "a1", appName: "bookshop", teamId };
    await store.dataSnapshots.begin({ ...of, reason: "upgrade", who: "system" });
    const diffId = `sha256:${"a".repeat(64)}` as const;
    const volume = { component: "db", componentId: "c1", volume: "data", diffId, sizeBytes: 7 };
    await store.dataSnapshots.addVolume("snap-1", volume);
    say(teamId);
    await new Promise(() => setInterval(() => {}, 1000));
  },

  /** Commits for ever, and says each commit after it was made. Two rows a commit, so that half a commit would show. */
  async write() {
    for (let n = 1; ; n++) {
      await store.transaction(async (nouns) => {
        await nouns.settings.set(`a-${n}`, "x".repeat(3000));
        await nouns.settings.set(`b-${n}`, n);
      });
      say(String(n));
    }
  },

  /** Adds one, a hundred times. */
  async add() {
    for (let n = 0; n < 100; n++)
      await store.transaction(async (nouns) => {
        await nouns.settings.set("sum", Number((await nouns.settings.get("sum")) ?? 0) + 1);
      });
    say("done");
  },
};

await acts[act]?.();
await store.close();
