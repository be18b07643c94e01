import type { Step } from "@sampan/plan";
import { describe, expect, test } from "vitest";
import type { ConformanceHarness } from "./conformance.ts";
import { doStep, ROLE_PORT, withApp } from "./conformance-app.ts";
import { failureOf } from "./conformance-probes.ts";

export function outsideRules(given: () => ConformanceHarness): void {
  describe("the machine and other work", () => {
    test("the capabilities are told", async () => {
      const told = await given().driver.capabilities();
      expect(told.architecture).toMatch(/^(amd64|arm64)$/);
      expect(told.os).toBe("linux");
      expect(told.cpus).toBeGreaterThan(0);
      expect(told.memoryBytes).toBeGreaterThan(0);
      expect(told.apiVersion).toMatch(/^\d+\.\d+$/);
    });

    test(
      "an exposed port is reported, and one that was left open is chosen",
      withApp(given, async (app, harness) => {
        const hostPort = await harness.freePort();
        const seen = await app.install({
          fixed: { ports: [exposed(hostPort)] },
          open: { ports: [exposed(0)] },
        });
        const portsOf = (name: string) => seen.instances.find((one) => one.component === name)?.hostPorts;
        expect(portsOf("fixed")).toEqual([{ name: "http", hostPort }]);
        expect(portsOf("open")).toEqual([{ name: "http", hostPort: expect.any(Number) }]);
        expect(portsOf("open")?.[0]?.hostPort).toBeGreaterThan(0);
      }),
    );

    test(
      "a port that is taken is a problem that leaves no instance, and it works once it is free",
      withApp(given, async (app, harness) => {
        const hostPort = await harness.freePort();
        const free = await harness.takePort(hostPort);
        const desired = app.desire({ web: { ports: [exposed(hostPort)] } });
        try {
          expect(await failureOf(app, desired)).toMatchObject({ code: "RUNTIME_PORT_TAKEN" });
          expect((await app.observe()).instances).toEqual([]);
        } finally {
          await free();
        }
        expect((await app.apply(desired)).instances[0]?.state).toBe("ready");
      }),
    );

    test(
      "two components can swap their ports",
      withApp(given, async (app, harness) => {
        const [a, b] = [await harness.freePort(), await harness.freePort()];
        await app.install({ a: { ports: [exposed(a)] }, b: { ports: [exposed(b)] } });
        const seen = await app.install({ a: { ports: [exposed(b)] }, b: { ports: [exposed(a)] } });
        expect(seen.instances.map((one) => one.state)).toEqual(["ready", "ready"]);
      }),
    );

    test(
      "work of an older generation is refused and changes nothing",
      withApp(given, async (app) => {
        const old = app.desire({ web: { tag: "old" } });
        const stale: readonly Step[] = (await app.plan(old)).steps;
        const seen = await app.install({ web: { tag: "new" } });
        const remove: Step = {
          id: "s1",
          kind: "instance.remove",
          component: "web",
          index: 1,
          instanceId: seen.instances[0]?.id ?? "",
          graceMs: 0,
          needs: [],
          why: "",
          timeoutMs: 5000,
        };
        for (const step of [...stale.filter((one) => one.kind === "instance.create"), remove])
          await expect(doStep(app.driver, step, app.context(old))).rejects.toMatchObject({
            code: "RUNTIME_STALE",
          });
        expect((await app.observe()).instances.map((one) => one.id)).toEqual(
          seen.instances.map((one) => one.id),
        );
      }),
    );

    test(
      "waiting that is aborted stops with the signal's reason, and the next plan goes on from there",
      withApp(given, async (app) => {
        const desired = app.desire({ web: { role: ["serve", "400"] } });
        const { steps } = await app.plan(desired);
        const reason = new Error("cancelled");
        for (const step of steps) {
          const abort = new AbortController();
          const done = doStep(app.driver, step, app.context(desired, abort.signal));
          if (step.kind !== "instance.ready") await done;
          else {
            abort.abort(reason);
            await expect(done).rejects.toBe(reason);
          }
        }
        const before = await app.observe();
        expect((await app.apply(desired)).instances[0]?.id).toBe(before.instances[0]?.id);
      }),
    );

    test(
      "a step whose signal has aborted does nothing",
      withApp(given, async (app) => {
        const desired = app.desire({ web: {} });
        const reason = new Error("cancelled");
        for (const step of (await app.plan(desired)).steps)
          await expect(
            doStep(app.driver, step, app.context(desired, AbortSignal.abort(reason))),
          ).rejects.toBe(reason);
        expect((await app.observe()).network).toBe(false);
      }),
    );

    test(
      "a plan that was left after any of its steps is mended by the next",
      withApp(given, async (app) => {
        await app.install({ web: { tag: "0", replicas: 2 } });
        const stepCount = (await app.plan(app.desire({ web: { tag: "1", replicas: 2 } }))).steps.length;
        for (let done = 1; done < stepCount; done++) {
          const desired = app.desire({ web: { tag: `${done}`, replicas: 2 } });
          for (const step of (await app.plan(desired)).steps.slice(0, done))
            await doStep(app.driver, step, app.context(desired));
          expect((await app.apply(desired)).instances).toHaveLength(2);
        }
      }),
    );

    test(
      "changes are told until the signal aborts",
      withApp(given, async (app) => {
        const abort = new AbortController();
        const told = (async () => {
          for await (const change of app.driver.watch(abort.signal))
            if (change.app === app.ref.id && change.component === "web") return change.what;
          return undefined;
        })();
        // The watch begins when it is first asked, and that takes the engine a moment.
        for (let at = 0; at < 3; at++) await app.install({ web: { tag: `${at}` } });
        expect(await told).toEqual(expect.any(String));
        abort.abort();
        for await (const change of app.driver.watch(abort.signal)) expect(change).toBeUndefined();
      }),
    );

    test(
      "an engine that does not answer is said to be unreachable",
      withApp(given, async (app, harness) => {
        const driver = await harness.unreachable();
        try {
          const desired = app.desire({ web: {} });
          const expected = { code: "RUNTIME_UNREACHABLE" };
          await expect(driver.capabilities()).rejects.toMatchObject(expected);
          await expect(driver.observe({ id: app.ref.id, images: [] })).rejects.toMatchObject(expected);
          await expect(driver.listApps()).rejects.toMatchObject(expected);
          for (const step of (await app.plan(desired)).steps.slice(0, 1))
            await expect(doStep(driver, step, app.context(desired))).rejects.toMatchObject(expected);
        } finally {
          await driver.close();
        }
      }),
    );
  });
}

function exposed(hostPort: number) {
  return { name: "http", port: ROLE_PORT, protocol: "http" as const, hostPort };
}
