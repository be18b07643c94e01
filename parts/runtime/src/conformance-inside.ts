import { describe, expect, test } from "vitest";
import type { ConformanceHarness } from "./conformance.ts";
import { ROLE_PORT, type TestApp, withApp } from "./conformance-app.ts";
import type { LogLine, LogOptions } from "./driver.ts";

export function insideRules(given: () => ConformanceHarness): void {
  describe("inside an instance", () => {
    test(
      "variables and files are as specified",
      withApp(given, async (app) => {
        const text = `first line\n  "quoted" $HOME $\{X} \\ ünï 舢板\n`;
        await app.install({
          web: {
            env: { TAG: "a", ODD: "a b=c $HOME \"q\" 'r'", EMPTY: "", PASSWORD: "s3cret" },
            secretEnv: ["PASSWORD"],
            files: [
              { path: "/etc/app/app.conf", content: text, mode: 0o644 },
              { path: "/etc/private.conf", content: "x", mode: 0o600 },
            ],
          },
        });
        expect(await app.say("web", "env", "ODD")).toBe("a b=c $HOME \"q\" 'r'");
        expect(await app.say("web", "env", "PASSWORD")).toBe("s3cret");
        expect((await app.exec("web", ["env", "EMPTY"])).exitCode).toBe(0);
        expect((await app.exec("web", ["cat", "/etc/app/app.conf"])).stdout).toBe(text);
        expect(await app.say("web", "mode", "/etc/app/app.conf")).toBe("0644");
        expect(await app.say("web", "mode", "/etc/private.conf")).toBe("0600");
      }),
    );

    test(
      "limits are set and told",
      withApp(given, async (app) => {
        const memoryBytes = 64 * 1024 ** 2;
        await app.install({ web: { limits: { cpu: 0.5, memoryBytes, processes: 50 } } });
        const stats = await app.driver.stats(await app.instance("web"));
        const { limits } = await app.driver.capabilities();
        if (limits) expect(stats.memoryLimitBytes).toBe(memoryBytes);
        expect(stats.memoryBytes).toBeGreaterThanOrEqual(0);
        expect(stats.cpu).toBeGreaterThanOrEqual(0);
        expect(stats.processes).toBeGreaterThanOrEqual(1);
      }),
    );

    test(
      "a command's exit code and both outputs come back",
      withApp(given, async (app) => {
        await app.install({ web: {} });
        expect(await app.exec("web", ["exit", "42"])).toMatchObject({ exitCode: 42, truncated: false });
        expect(await app.exec("web", ["both"])).toEqual({
          exitCode: 0,
          stdout: "out\n",
          stderr: "err\n",
          truncated: false,
        });
        expect(await app.say("web", "input")).toBe("end of input");
      }),
    );

    test(
      "a command gets its own variables, is cut at its output limit and ends at its time limit",
      withApp(given, async (app) => {
        await app.install({ web: {} });
        const ref = await app.instance("web");
        const limits = { timeoutMs: 10_000, outputBytesMax: 1000 };
        const own = await app.driver.exec(ref, ["/role", "env", "OWN"], { ...limits, env: { OWN: "mine" } });
        expect(own.stdout.trimEnd()).toBe("mine");
        const long = await app.driver.exec(ref, ["/role", "spew", "5000"], limits);
        expect(long).toMatchObject({ exitCode: 0, truncated: true, stdout: "x".repeat(1000) });
        await expect(
          app.driver.exec(ref, ["/role", "hang"], { ...limits, timeoutMs: 300 }),
        ).rejects.toMatchObject({ code: "RUNTIME_TIMEOUT" });
      }),
    );

    test(
      "an instance that is gone is said to be absent",
      withApp(given, async (app) => {
        await app.install({ web: {} });
        const ref = await app.instance("web");
        await app.install({});
        const expected = { code: "RUNTIME_ABSENT" };
        const limits = { timeoutMs: 5000, outputBytesMax: 1000 };
        await expect(app.driver.exec(ref, ["/role", "both"], limits)).rejects.toMatchObject(expected);
        await expect(app.driver.stats(ref)).rejects.toMatchObject(expected);
        await expect(app.driver.restart(ref)).rejects.toMatchObject(expected);
        await expect(linesOf(app, { follow: false }, ref)).rejects.toMatchObject(expected);
      }),
    );

    test(
      "the log is told line by line, from its end, and since a time",
      withApp(given, async (app) => {
        await app.install({ web: { role: ["lines", "20"] } });
        const all = await linesOf(app, { follow: false });
        const out = all.filter((line) => line.stream === "stdout").map((line) => line.text);
        expect(out).toEqual(Array.from({ length: 20 }, (_, at) => `line ${at + 1}`));
        expect(all.filter((line) => line.stream === "stderr").map((line) => line.text)).toEqual([
          "to stderr",
        ]);
        expect(await linesOf(app, { follow: false, tail: 3 })).toHaveLength(3);
        expect(await linesOf(app, { follow: false, tail: 0 })).toEqual([]);
        const [first] = all;
        expect(await linesOf(app, { follow: false, since: first?.at ?? "" })).toHaveLength(all.length);
        expect(await linesOf(app, { follow: false, since: "2999-01-01T00:00:00Z" })).toEqual([]);
      }),
    );

    test(
      "a log that is followed gives new lines, until the signal aborts",
      withApp(given, async (app) => {
        await app.install({ web: {} });
        const ref = await app.instance("web");
        const abort = new AbortController();
        const told: string[] = [];
        for await (const line of app.driver.logs(ref, { follow: true, signal: abort.signal })) {
          told.push(line.text);
          if (told.length === 1) await app.driver.restart(ref);
          else abort.abort();
        }
        expect(told).toEqual(["serving", "serving"]);
      }),
    );

    test(
      "the followed log of an instance that ends for good ends",
      withApp(given, async (app) => {
        await app.install({ job: { kind: "job", role: ["end"] } });
        const lines = await linesOf(app, { follow: true }, await app.instance("job"));
        expect(lines.map((line) => line.text)).toEqual(["done"]);
      }),
    );

    test(
      "a request to a port comes back with its answer, or says that nothing answers",
      withApp(given, async (app) => {
        await app.install({ web: { tag: "asked" } });
        const ref = await app.instance("web");
        const http = { kind: "http", port: ROLE_PORT, method: "GET", headers: {}, timeoutMs: 5000 } as const;
        const reply = await app.driver.request(ref, { ...http, path: "/" });
        expect({ ...reply, body: reply.body.trimEnd() }).toEqual({ status: 200, body: "asked" });
        const none = await app.driver.request(ref, { ...http, path: "/nothing-here" });
        expect(none.status).toBeGreaterThanOrEqual(400);
        const tcp = { kind: "tcp", timeoutMs: 5000 } as const;
        expect(await app.driver.request(ref, { ...tcp, port: ROLE_PORT })).toEqual({ status: 0, body: "" });
        for (const request of [
          { ...tcp, port: 9 },
          { ...http, path: "/", port: 9 },
        ])
          await expect(app.driver.request(ref, request)).rejects.toMatchObject({ code: "RUNTIME_NO_ANSWER" });
      }),
    );

    test(
      "a terminal shows what its command writes, and ends with it",
      withApp(given, async (app) => {
        const { terminal: able } = await app.driver.capabilities();
        await app.install({ web: {} });
        const ref = await app.instance("web");
        const opening = app.driver.attach(ref, ["/role", "both"], { columns: 80, rows: 24 });
        if (!able) {
          await expect(opening).rejects.toBeDefined();
          return;
        }
        const terminal = await opening;
        let shown = "";
        for await (const piece of terminal.output) shown += Buffer.from(piece).toString();
        expect(shown).toContain("out\r\n");
        expect(shown).toContain("err\r\n");
        expect(await terminal.exitCode).toBe(0);
        await terminal.close();
      }),
    );
  });
}

async function linesOf(app: TestApp, options: LogOptions, ref?: Awaited<ReturnType<TestApp["instance"]>>) {
  const lines: LogLine[] = [];
  for await (const line of app.driver.logs(ref ?? (await app.instance("web")), options)) lines.push(line);
  return lines;
}
