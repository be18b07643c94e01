import { describe, expect, test } from "vitest";
import type { ConformanceHarness } from "./conformance.ts";
import { doStep, withApp } from "./conformance-app.ts";

export function lifeRules(given: () => ConformanceHarness): void {
  describe("life of instances", () => {
    test(
      "an installed app runs as desired, and there is nothing more to plan",
      withApp(given, async (app) => {
        const seen = await app.install({
          db: { kind: "stateful", mounts: [volumeAt("db", "data", "/data")] },
          web: { needs: ["db"], replicas: 2 },
        });
        expect(seen.instances.map((one) => `${one.component} ${one.index} ${one.state}`).sort()).toEqual([
          "db 1 ready",
          "web 1 ready",
          "web 2 ready",
        ]);
        expect(seen).toMatchObject({ complete: true, network: true, generation: 1 });
        expect(seen.volumes).toEqual([{ owner: "db", volume: "data" }]);
        expect(seen.instances.every((one) => one.serving && one.restarts === 0)).toBe(true);
      }),
    );

    test(
      "each step done twice is done once",
      withApp(given, async (app) => {
        const db = { kind: "stateful" as const, mounts: [volumeAt("db", "data", "/data")] };
        const first = await app.apply(app.desire({ db, web: { tag: "old" } }), { times: 2 });
        expect(first.instances).toHaveLength(2);
        const second = await app.apply(app.desire({ db, web: { tag: "new" } }), { times: 2 });
        expect(second.instances).toHaveLength(2);
        expect(second.instances.find((one) => one.component === "web")?.generation).toBe(2);
        expect(second.instances.find((one) => one.component === "db")?.generation).toBe(1);
      }),
    );

    test(
      "a component answers to its name, and each instance to its own",
      withApp(given, async (app) => {
        await app.install({ client: { role: ["idle"] }, web: { tag: "hello", replicas: 2 } });
        for (const host of ["web", "web-1", "web-2"])
          expect(await app.say("client", "get", `http://${host}:8080/`)).toBe("hello");
        expect((await app.exec("client", ["get", "http://nobody:8080/"])).exitCode).toBe(1);
      }),
    );

    test(
      "apps do not reach each other by name",
      withApp(
        given,
        async (app, harness) =>
          await withApp(
            () => harness,
            async (other) => {
              await app.install({ web: {} });
              await other.install({ client: { role: ["idle"] } });
              expect((await other.exec("client", ["get", "http://web:8080/"])).exitCode).toBe(1);
            },
          )(),
      ),
    );

    test(
      "an instance made to serve later does not answer until it is let, and then the old one does not",
      withApp(given, async (app) => {
        await app.install({ client: { role: ["idle"] }, web: { tag: "old" } });
        const desired = app.desire({ client: { role: ["idle"] }, web: { tag: "new" } });
        const [create, ready, serve, remove, ...rest] = (await app.plan(desired)).steps;
        expect(rest).toEqual([]);
        if (create === undefined || ready === undefined || serve === undefined || remove === undefined)
          throw new Error("a rolling replacement has four steps");
        const ask = () => app.say("client", "get", "http://web:8080/");
        await doStep(app.driver, create, app.context(desired));
        await doStep(app.driver, ready, app.context(desired));
        expect(await ask()).toBe("old");
        const beside = (await app.observe()).instances.filter((one) => one.component === "web");
        expect(beside.map((one) => one.serving).sort()).toEqual([false, true]);
        await doStep(app.driver, serve, app.context(desired));
        expect(await ask()).toBe("new");
        await doStep(app.driver, remove, app.context(desired));
        expect(await ask()).toBe("new");
        expect((await app.plan(desired)).steps).toEqual([]);
      }),
    );

    test(
      "replicas are added and taken away",
      withApp(given, async (app) => {
        const before = await app.install({ web: { replicas: 2 } });
        const more = await app.install({ web: { replicas: 3 } });
        expect(more.instances.map((one) => one.index).sort()).toEqual([1, 2, 3]);
        const less = await app.install({ web: { replicas: 1 } });
        expect(less.instances.map((one) => one.id)).toEqual(
          before.instances.filter((one) => one.index === 1).map((one) => one.id),
        );
      }),
    );

    test(
      "data on a volume outlives the instance, what was written elsewhere does not",
      withApp(given, async (app) => {
        const mounts = [
          volumeAt("db", "data", "/data"),
          { kind: "memory" as const, path: "/scratch", sizeBytes: 1024 ** 2 },
        ];
        await app.install({ db: { kind: "stateful", mounts } });
        for (const path of ["/data/kept", "/scratch/lost", "/tmp/lost"])
          expect((await app.exec("db", ["write", path, "text"])).exitCode).toBe(0);
        await app.install({ db: { kind: "stateful", mounts, tag: "changed" } });
        expect(await app.say("db", "cat", "/data/kept")).toBe("text");
        for (const path of ["/scratch/lost", "/tmp/lost"])
          expect((await app.exec("db", ["cat", path])).exitCode).toBe(1);
      }),
    );

    test(
      "a volume can be shared with another component, and be read-only there",
      withApp(given, async (app) => {
        await app.install({
          db: { kind: "stateful", mounts: [volumeAt("db", "data", "/data")] },
          reader: { mounts: [{ ...volumeAt("db", "data", "/other"), readOnly: true }] },
        });
        await app.exec("db", ["write", "/data/file", "shared"]);
        expect(await app.say("reader", "cat", "/other/file")).toBe("shared");
        expect((await app.exec("reader", ["write", "/other/file", "no"])).exitCode).toBe(1);
      }),
    );

    test(
      "a volume stays when its component and its app go",
      withApp(given, async (app, harness) => {
        const db = { kind: "stateful" as const, mounts: [volumeAt("db", "data", "/data")] };
        await app.install({ db });
        await app.exec("db", ["write", "/data/file", "kept"]);
        const removal = app.desire({}, { remove: true });
        for (const step of (await app.plan(removal)).steps)
          await doStep(app.driver, step, app.context(removal));
        expect(await harness.remains(app.ref.id)).toHaveLength(1);
        await app.install({ db });
        expect(await app.say("db", "cat", "/data/file")).toBe("kept");
      }),
    );

    test(
      "a restart keeps the instance, and it becomes ready again",
      withApp(given, async (app) => {
        const [before] = (await app.install({ web: {} })).instances;
        await app.driver.restart(await app.instance("web"));
        const { instances } = await app.until((seen) => seen.instances[0]?.state === "ready");
        expect(instances[0]?.id).toBe(before?.id);
        expect(instances[0]?.startedAt?.localeCompare(before?.startedAt ?? "")).toBeGreaterThanOrEqual(0);
      }),
    );

    test(
      "another driver on the same engine finds the app with all that runs",
      withApp(given, async (app, harness) => {
        const seen = await app.install({ db: { kind: "stateful" }, web: { needs: ["db"] } });
        const second = await harness.reopen();
        try {
          const found = (await second.listApps()).find((one) => one.id === app.ref.id);
          expect(found).toEqual({ ...app.ref, generation: 1, components: ["db", "web"] });
          const again = await second.observe({ id: app.ref.id, images: [] });
          expect(again.instances.map((one) => one.id).sort()).toEqual(
            seen.instances.map((one) => one.id).sort(),
          );
          expect(again.instances.map((one) => one.specDigest).sort()).toEqual(
            seen.instances.map((one) => one.specDigest).sort(),
          );
        } finally {
          await second.close();
        }
      }),
    );
  });
}

export function volumeAt(owner: string, volume: string, path: string) {
  return { kind: "volume" as const, owner, volume, path, readOnly: false };
}
