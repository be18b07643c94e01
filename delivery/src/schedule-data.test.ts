import { serving } from "@sampan/runtime";
import { parseAppValue } from "@sampan/template";
import { expect, test } from "vitest";
import { createApp } from "./apps.ts";
import { takeSnapshot } from "./data-snapshots.ts";
import { Scheduler } from "./schedule.ts";
import { filesOf, snapshotsOf } from "./test-data.ts";
import { ann, build, running, testSite } from "./test-site.ts";

const MINUTE_MS = 60_000;

test("nothing is run by its schedule while data is captured or put back, and it is said; then it goes on", async () => {
  const site = await testSite();
  for (const image of ["db:1", "report:1"]) build(site, image);
  site.engine.script({ component: "report" }, serving());
  const app = parseAppValue({
    apiVersion: "sampan/v1",
    kind: "App",
    name: "shop",
    components: {
      db: { kind: "stateful", image: "db:1", volumes: { data: { path: "/data", kind: "persistent" } } },
      report: {
        kind: "cron",
        schedule: "* * * * *",
        image: "report:1",
        volumes: { data: { path: "/data", kind: "shared", from: "db" } },
      },
    },
  }).value;
  const { appId = "" } = await createApp(
    site.parts,
    { by: ann, teamId: site.teamId, given: { app }, answers: {} },
    {},
  );
  await site.settle();
  const scheduler = new Scheduler(site.parts, { signal: new AbortController().signal, onTrouble: () => {} });
  filesOf(site, appId).set("/orders", "one");
  const seen: string[][] = [];
  const { hold } = site.parts;
  const captureLayer = hold.captureLayer.bind(hold);
  hold.captureLayer = async (...args) => {
    await site.clock.advance(MINUTE_MS);
    await scheduler.look();
    seen.push(await running(site, appId));
    return await captureLayer(...args);
  };
  await takeSnapshot(site.parts, { by: ann, app: await site.app("shop") }, {});
  await site.settle();
  expect(seen).toEqual([[]]);
  expect(await snapshotsOf(site)).toMatchObject([{ state: "complete" }]);
  await site.clock.advance(MINUTE_MS);
  await scheduler.look();
  const events = await site.parts.store.events.list({ kind: "all" }, { what: "component.run" }, { limit: 9 });
  expect(events.items.map(({ outcome }) => outcome)).toEqual(["begun", "skipped"]);
});
