import { describe, expect, test } from "vitest";
import type { ConformanceHarness } from "./conformance.ts";
import { doStep, probeOf, READY, ROLE_PORT, type TestApp, withApp } from "./conformance-app.ts";

export function probeRules(given: () => ConformanceHarness): void {
  describe("health", () => {
    const checks = [
      { kind: "http", port: ROLE_PORT, path: "/ready", headers: {}, status: 200 },
      { kind: "tcp", port: ROLE_PORT },
      { kind: "exec", command: ["/role", "get", `http://127.0.0.1:${ROLE_PORT}/`] },
    ] as const;
    test.each(checks)("an instance is awaited until its $kind probe passes", (check) =>
      withApp(given, async (app) => {
        const web = { role: ["serve", "600"], probes: { ready: probeOf(check, { failures: 100 }) } };
        const desired = app.desire({ web });
        const steps = (await app.plan(desired)).steps;
        for (const step of steps.filter((one) => one.kind !== "instance.ready"))
          await doStep(app.driver, step, app.context(desired));
        expect((await app.observe()).instances[0]?.state).toBe("starting");
        const seen = await app.apply(desired);
        expect(seen.instances[0]).toMatchObject({ state: "ready", restarts: 0 });
      })(),
    );

    test(
      "an instance without probes counts as ready when it keeps running",
      withApp(given, async (app) => {
        const seen = await app.install({ idle: { role: ["idle"] } });
        expect(seen.instances[0]?.state).toBe("ready");
      }),
    );

    test(
      "what was ready and is sick is unready, with the reason, until it is well",
      withApp(given, async (app) => {
        await app.install({ web: {} });
        await app.exec("web", ["sick"]);
        const { instances } = await app.until((seen) => seen.instances[0]?.state === "unready");
        expect(instances[0]?.message).toContain("/ready");
        expect(instances[0]?.restarts).toBe(0);
        await app.exec("web", ["well"]);
        await app.until((seen) => seen.instances[0]?.state === "ready");
      }),
    );

    test(
      "a live probe that fails restarts the instance",
      withApp(given, async (app) => {
        await app.install({ web: { probes: { live: READY, ready: READY } } });
        await app.exec("web", ["sick"]);
        await app.until((seen) => (seen.instances[0]?.restarts ?? 0) >= 1);
      }),
    );

    test(
      "a start probe gives time before the live probe counts",
      withApp(given, async (app) => {
        const probes = { start: { ...READY, failures: 200 }, live: { ...READY, failures: 1 }, ready: READY };
        const seen = await app.install({ web: { role: ["serve", "800"], probes } });
        expect(seen.instances[0]).toMatchObject({ state: "ready", restarts: 0 });
      }),
    );

    test(
      "waiting ends at its time limit, and says what the probe said",
      withApp(given, async (app) => {
        const desired = app.desire({ web: { role: ["idle"], probes: { ready: READY }, startWithinMs: 700 } });
        const error = await failureOf(app, desired);
        expect(error).toMatchObject({ code: "RUNTIME_NOT_READY" });
        expect(error).toMatchObject({ why: expect.stringMatching(/ready probe/) });
      }),
    );

    test(
      "waiting ends early when the instance keeps failing",
      withApp(given, async (app) => {
        const desired = app.desire({ web: { role: ["crash", "7"], startWithinMs: 3_600_000 } });
        const error = await failureOf(app, desired);
        expect(error).toMatchObject({ code: "RUNTIME_INSTANCE_FAILED", why: expect.stringContaining("7") });
        const { instances } = await app.until((seen) => (seen.instances[0]?.restarts ?? 0) >= 2);
        expect(instances[0]).toMatchObject({ component: "web" });
      }),
    );

    test(
      "an instance that is not to be restarted stays as it ended",
      withApp(given, async (app) => {
        const desired = app.desire({
          web: { role: ["crash", "9"], restart: "never", startWithinMs: 3_600_000 },
        });
        expect(await failureOf(app, desired)).toMatchObject({ code: "RUNTIME_INSTANCE_FAILED" });
        const { instances } = await app.observe();
        expect(instances[0]).toMatchObject({ state: "failing", exitCode: 9, restarts: 0 });
      }),
    );

    test(
      "a job is complete when it ends with 0, and is not run again",
      withApp(given, async (app) => {
        const seen = await app.install({ job: { kind: "job", role: ["end"] } });
        expect(seen.instances[0]).toMatchObject({ state: "completed", exitCode: 0 });
        const again = await app.install({ job: { kind: "job", role: ["end"] } });
        expect(again.instances[0]?.id).toBe(seen.instances[0]?.id);
      }),
    );

    test(
      "a job that fails is told with its exit code, and is made anew by the next plan",
      withApp(given, async (app) => {
        const desired = app.desire({ job: { kind: "job", role: ["end", "4"] } });
        const error = await failureOf(app, desired);
        expect(error).toMatchObject({ code: "RUNTIME_INSTANCE_FAILED", why: expect.stringContaining("4") });
        const next = await app.install({ job: { kind: "job", role: ["end", "0"] } });
        expect(next.instances).toHaveLength(1);
      }),
    );
  });
}

/** What applying ends with. */
export async function failureOf(app: TestApp, desired: Parameters<TestApp["apply"]>[0]): Promise<unknown> {
  return app.apply(desired).then(
    () => new Error("it succeeded"),
    (error: unknown) => error,
  );
}
