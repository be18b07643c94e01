import { crashing, ending, type MemoryProgram } from "@sampan/runtime";
import { parseAppValue } from "@sampan/template";
import { expect, test } from "vitest";
import { createApp, setRunning } from "./apps.ts";
import { Scheduler } from "./schedule.ts";
import { ann, build, running, type TestSite, testSite } from "./test-site.ts";

const MINUTE_MS = 60_000;

/** An app with a job that is due every five minutes. */
async function withReport(program: MemoryProgram = ending(), schedule = "*/5 * * * *") {
  const site = await testSite();
  build(site, "report:1");
  site.engine.script({ component: "report" }, program);
  const app = parseAppValue({
    apiVersion: "sampan/v1",
    kind: "App",
    name: "shop",
    components: { report: { kind: "cron", schedule, image: "report:1" } },
  }).value;
  const wish = { by: ann, teamId: site.teamId, given: { app }, answers: {} };
  const { appId = "" } = await createApp(site.parts, wish, {});
  await site.settle();
  const stop = new AbortController();
  const troubles: unknown[] = [];
  const onTrouble = (_app: string, error: unknown) => void troubles.push(error);
  const scheduler = new Scheduler(site.parts, { signal: stop.signal, onTrouble });
  return { site, appId, scheduler, stop, troubles };
}

async function runsOf(site: TestSite): Promise<string[]> {
  const { items } = await site.parts.store.events.list(
    { kind: "all" },
    { what: "component.run" },
    { limit: 200 },
  );
  return items.map((event) => `${event.subject} ${event.outcome}`);
}

async function passMinutes(of: Awaited<ReturnType<typeof withReport>>, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    await of.site.clock.advance(MINUTE_MS);
    await of.scheduler.look();
  }
}

test("a component runs when it is due, each time anew, and leaves one instance of its last run", async () => {
  const of = await withReport();
  await passMinutes(of, 20);
  expect(await runsOf(of.site)).toEqual(Array(4).fill("report begun"));
  await of.site.clock.advance(1000);
  expect(await running(of.site, of.appId)).toEqual(["report 1 completed"]);
  expect(of.troubles).toEqual([]);
});

test("a run makes no rollout, and is not taken for something to mend", async () => {
  const of = await withReport();
  await passMinutes(of, 5);
  await of.site.clock.advance(1000);
  await of.site.settle();
  expect((await of.site.parts.store.rollouts.list({ kind: "all" })).items).toHaveLength(1);
  expect(await running(of.site, of.appId)).toEqual(["report 1 completed"]);
});

test("a run that is still under way is not doubled", async () => {
  const of = await withReport(ending(0, 7 * MINUTE_MS));
  await passMinutes(of, 15);
  expect((await runsOf(of.site)).toReversed()).toEqual(["report begun", "report skipped", "report begun"]);
});

test("a run that failed does not keep the next from beginning", async () => {
  const of = await withReport(crashing());
  await passMinutes(of, 10);
  expect(await runsOf(of.site)).toEqual(["report begun", "report begun"]);
});

test("an app that is stopped runs nothing", async () => {
  const of = await withReport();
  await setRunning(of.site.parts, { by: ann, app: await of.site.app("shop"), running: false }, {});
  await of.site.settle();
  await passMinutes(of, 10);
  expect(await runsOf(of.site)).toEqual([]);
});

test("what was due while the server slept, or before a clock was set on, is run once", async () => {
  const of = await withReport(ending(), "* * * * *");
  await of.site.clock.advance(24 * 60 * MINUTE_MS);
  await of.scheduler.look();
  expect(await runsOf(of.site)).toHaveLength(1);
});

test("an image that is gone is said, and the schedule goes on", async () => {
  const of = await withReport();
  of.site.engine.images.clear();
  await passMinutes(of, 10);
  expect(await runsOf(of.site)).toEqual(["report failed", "report failed"]);
  expect(of.troubles).toHaveLength(2);
});

test("the schedule looks every minute until it is stopped", async () => {
  const of = await withReport();
  const ended = of.scheduler.run();
  while ((await runsOf(of.site)).length < 3) await new Promise((resolve) => setImmediate(resolve));
  of.stop.abort();
  await ended;
});
