import { type Desired, planRun } from "@sampan/plan";
import { describe, expect, test } from "vitest";
import type { ConformanceHarness } from "./conformance.ts";
import { doStep, probeOf, ROLE_PORT, type RoleComponent, type TestApp, withApp } from "./conformance-app.ts";
import { volumeAt } from "./conformance-life.ts";
import type { Driver } from "./driver.ts";
import type { RunningApp } from "./running-app.ts";

/** A component with something in every place of its specification. */
function everything(hostPort: number): RoleComponent {
  return {
    kind: "stateful",
    needs: ["plain"],
    startWithinMs: 31_000,
    args: ["0"],
    env: { TAG: "all", ODD: "a b=c $HOME \"q\" 'r'\n2", EMPTY: "", PASSWORD: "s3cret-value" },
    secretEnv: ["PASSWORD"],
    files: [
      { path: "/etc/app/app.conf", content: "password = s3cret-value\nünï 舢板\n", mode: 0o640 },
      { path: "/etc/empty.conf", content: "", mode: 0o600 },
      { path: "/scratch/bound.conf", content: "under a memory mount", mode: 0o644 },
    ],
    mounts: [
      { kind: "memory", path: "/cache" },
      volumeAt("all", "data", "/data"),
      { kind: "memory", path: "/scratch", sizeBytes: 1024 ** 2 },
      { ...volumeAt("plain", "shared", "/shared"), readOnly: true },
    ],
    ports: [
      { name: "http", port: ROLE_PORT, protocol: "http", hostPort },
      { name: "inner", port: 9000, protocol: "udp" },
      { name: "open", port: 9001, protocol: "tcp", hostPort: 0 },
    ],
    probes: {
      start: probeOf({ kind: "tcp", port: ROLE_PORT }, { failures: 50 }),
      live: probeOf({ kind: "exec", command: ["/role", "exit", "0"] }),
      ready: probeOf({ kind: "http", port: ROLE_PORT, path: "/ready", headers: { "x-key": "s3cret-value" } }),
    },
    limits: { cpu: 0.75, memoryBytes: 96 * 1024 ** 2, processes: 60 },
    requests: { cpu: 0.001, memoryBytes: 32 * 1024 ** 2 },
    restart: "on-failure",
    labels: { "org.example/owner": "books", empty: "" },
    stopGraceMs: 1234,
    security: {
      user: "0",
      addCapabilities: ["NET_RAW"],
      dropCapabilities: ["CHOWN", "SETPCAP"],
      readOnlyRoot: false,
      privileged: false,
    },
  };
}

const PLAIN: RoleComponent = { mounts: [volumeAt("plain", "shared", "/data")] };

export function readingRules(given: () => ConformanceHarness): void {
  describe("reading an app back", () => {
    test(
      "what is read back is what was desired, and plans to nothing",
      withApp(given, async (app, harness) => {
        const desired = app.desire({
          all: everything(await harness.freePort()),
          plain: { ...PLAIN, replicas: 3 },
          task: { kind: "job", role: ["end"], needs: ["plain"] },
        });
        await app.apply(desired);
        // As after a restart of the server: nothing is remembered but what the engine holds.
        const driver = await harness.reopen();
        try {
          const read = await readBack(app, driver);
          expect(read).toEqual({
            app: desired.app,
            generation: desired.generation,
            components: desired.components,
            remarks: [],
          });
          expect((await app.plan(desiredOf(read))).steps).toEqual([]);
        } finally {
          await driver.close();
        }
      }),
    );

    test(
      "what was read back can be gone on with: changed, scaled and removed",
      withApp(given, async (app) => {
        await app.install({ plain: { ...PLAIN, replicas: 3 }, web: { needs: ["plain"] } });
        const seen = await app.install({ plain: PLAIN, web: { needs: ["plain"] } });
        const { components, generation } = await readBack(app);
        expect(components.map(({ name, replicas }) => `${name} ${replicas}`)).toEqual(["plain 1", "web 1"]);
        expect(generation).toBe(1);
        const more = components.map((one) => (one.name === "web" ? { ...one, replicas: 2 } : one));
        const after = await app.apply({ ...app.desire({}), components: more });
        expect(after.instances).toHaveLength(3);
        for (const { id } of seen.instances) expect(after.instances.map((one) => one.id)).toContain(id);
      }),
    );

    test(
      "in the middle of a replacement, the newest instance tells what was asked for",
      withApp(given, async (app) => {
        await app.install({ web: { tag: "old" } });
        const desired = app.desire({ web: { tag: "new" } });
        const [create] = (await app.plan(desired)).steps;
        if (create === undefined) throw new Error("a replacement begins with a step");
        await doStep(app.driver, create, app.context(desired));
        const read = await readBack(app);
        expect(read).toMatchObject({ generation: 2, components: desired.components });
        await app.apply({ ...desiredOf(read), generation: 2 });
        expect(await app.say("web", "get", "http://web:8080/")).toBe("new");
      }),
    );

    test(
      "a component without an instance is not known, and that others needed it is remarked",
      withApp(given, async (app) => {
        await app.install({ idle: { replicas: 0 }, web: { needs: ["idle"] } });
        const read = await readBack(app);
        expect(read.components).toMatchObject([{ name: "web", needs: [] }]);
        expect(read.remarks).toEqual([expect.stringContaining("web needed idle")]);
        expect((await app.plan(desiredOf(read))).steps).toEqual([]);
      }),
    );

    test(
      "the last run of a cron component tells what it is, and is no replica",
      withApp(given, async (app) => {
        const nightly: RoleComponent = { kind: "cron", role: ["end"], replicas: 0, schedule: "0 3 * * *" };
        const desired = app.desire({ nightly, web: {} });
        await app.apply(desired);
        expect((await readBack(app)).components.map(({ name }) => name)).toEqual(["web"]);
        const observed = await app.observe(desired);
        const run = planRun(desired, observed, {
          component: "nightly",
          why: "it is due",
          now: observed.at,
          newId: () => "run",
        });
        for (const step of run.steps) await doStep(app.driver, step, app.context(desired));
        const read = await readBack(app);
        expect(read.components).toEqual(desired.components);
        expect((await app.plan(desiredOf(read))).steps).toEqual([]);
      }),
    );

    test(
      "of an app that is gone only its volumes are told, and of one that never was nothing",
      withApp(given, async (app) => {
        expect(await app.driver.readApp(app.ref.id)).toBeUndefined();
        await app.install({ plain: PLAIN });
        const removal = app.desire({}, { remove: true });
        for (const step of (await app.plan(removal)).steps)
          await doStep(app.driver, step, app.context(removal));
        expect(await readBack(app)).toMatchObject({ app: app.ref, generation: 0, components: [] });
      }),
    );
  });
}

async function readBack(app: TestApp, driver: Driver = app.driver): Promise<RunningApp> {
  const read = await driver.readApp(app.ref.id);
  if (read === undefined) throw new Error("the engine holds nothing of the app");
  return read;
}

function desiredOf({ app, generation, components }: RunningApp): Desired {
  return { app, generation, components };
}
