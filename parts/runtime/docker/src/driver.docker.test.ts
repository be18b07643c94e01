import { once } from "node:events";
import { connect } from "node:net";
import type { Step } from "@sampan/plan";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCuttingProxy } from "./cutting-proxy.ts";
import { type DockerHarness, makeDockerHarness } from "./docker-harness.ts";
import { DockerStory, READY } from "./docker-story.ts";
import type { EngineContainer } from "./engine-types.ts";
import { openDocker } from "./open-docker.ts";
import { addressOf } from "./prober.ts";

let harness: DockerHarness;
beforeAll(async () => {
  harness = await makeDockerHarness();
});
afterAll(() => harness.close());

function withStory(tell: (story: DockerStory) => Promise<void>): () => Promise<void> {
  return async () => {
    const story = new DockerStory(harness);
    try {
      await tell(story);
    } finally {
      await story.remove();
    }
  };
}

async function inspect(story: DockerStory, component: string): Promise<EngineContainer> {
  const { id } = await story.instance(component);
  return (await harness.scope.inspect(id)) as EngineContainer;
}

function stepOf(steps: readonly Step[], kind: Step["kind"]): Step {
  return steps.find((one) => one.kind === kind) as Step;
}

const SERVE = { role: ["serve"], probes: { ready: READY } } as const;
const SECURITY = { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false };

test(
  "an instance whose process is killed is restarted and ready again",
  withStory(async (story) => {
    await story.install({ web: SERVE });
    const { State } = await inspect(story, "web");
    process.kill(State.Pid ?? 0, "SIGKILL");
    const { instances } = await story.until(({ instances: [web] }) => web?.restarts === 1);
    expect(instances).toHaveLength(1);
    await story.until(({ instances: [web] }) => web?.state === "ready");
  }),
);

test(
  "an instance that takes over keeps its address and its open connections, and so does the one before",
  withStory(async (story) => {
    await story.install({ web: { role: ["serve"] } });
    const before = await inspect(story, "web");
    const desired = story.desire({ web: { role: ["serve"], env: { TAG: "new" } } });
    const steps = await story.steps(desired);
    for (const kind of ["instance.create", "instance.ready"] as const)
      await story.do(stepOf(steps, kind), desired);
    const { instances } = await story.observe();
    const next = instances.find(({ generation }) => generation === desired.generation);
    const after = (await harness.scope.inspect(next?.id ?? "")) as EngineContainer;
    const held = [before, after].map((one) => connect({ host: addressOf(one) ?? "", port: 8080 }));
    await Promise.all(held.map((socket) => once(socket, "connect")));
    await story.do(stepOf(steps, "instance.serve"), desired);
    for (const [at, tag] of ["web", "new"].entries()) {
      const container = [before, after][at] as EngineContainer;
      expect(addressOf((await harness.scope.inspect(container.Id)) as EngineContainer)).toBe(
        addressOf(container),
      );
      held[at]?.write("GET / HTTP/1.1\r\n\r\n");
      const pieces: Buffer[] = (await held[at]?.toArray()) ?? [];
      expect(Buffer.concat(pieces).toString()).toMatch(new RegExp(`200 .*${tag}$`, "s"));
    }
    await story.do(stepOf(steps, "instance.remove"), desired);
  }),
);

test(
  "who asks a component by its name loses no request while its instances are replaced",
  withStory(async (story) => {
    const client = { role: ["idle"] };
    await story.install({ client, web: SERVE });
    const ref = await story.instance("client");
    const options = { timeoutMs: 60_000, outputBytesMax: 100 };
    const asking = harness.driver.exec(ref, ["/role", "hammer", "web"], options);
    for (const TAG of ["1", "2"]) await story.install({ client, web: { ...SERVE, env: { TAG } } });
    await story.say("client", "write", "/run/enough");
    expect((await asking).stdout).toBe("lost 0\n");
  }),
);

test(
  "an instance whose making was cut off before its start is finished, with its files",
  withStory(async (story) => {
    const files = [{ path: "/etc/app.conf", content: "text", mode: 0o640 }];
    const desired = story.desire({ web: { ...SERVE, files } });
    const proxy = await openCuttingProxy(harness.client.address, /\/archive|\/start/);
    const driver = openDocker({ ...harness.options, engine: proxy.address });
    try {
      await expect(story.apply(desired, driver)).rejects.toMatchObject({ code: "RUNTIME_UNREACHABLE" });
    } finally {
      await driver.close();
      await proxy.close();
    }
    expect((await story.observe()).instances[0]?.state).toBe("starting");
    const { instances } = await story.apply(desired);
    expect(instances.map(({ state }) => state)).toEqual(["ready"]);
    expect(await story.say("web", "cat", "/etc/app.conf")).toBe("text");
    expect(await story.say("web", "mode", "/etc/app.conf")).toBe("0640");
  }),
);

test(
  "a take-over that was cut off outside of the network is mended with the same address",
  withStory(async (story) => {
    await story.install({ web: SERVE });
    const desired = story.desire({ web: { ...SERVE, env: { TAG: "new" } } });
    const steps = await story.steps(desired);
    await story.do(stepOf(steps, "instance.create"), desired);
    await story.do(stepOf(steps, "instance.ready"), desired);
    const proxy = await openCuttingProxy(harness.client.address, /\/networks\/[^/]+\/connect/);
    const driver = openDocker({ ...harness.options, engine: proxy.address });
    const serve = stepOf(steps, "instance.serve");
    try {
      await expect(story.do(serve, desired, driver)).rejects.toMatchObject({ code: "RUNTIME_UNREACHABLE" });
    } finally {
      await driver.close();
      await proxy.close();
    }
    const outside = (await story.observe()).instances.find(({ generation }) => generation === 2);
    expect(outside?.serving).toBe(false);
    await story.apply(desired);
    expect((await story.observe()).instances).toMatchObject([
      { generation: 2, serving: true, state: "ready" },
    ]);
    const container = await inspect(story, "web");
    expect(addressOf(container)).toBe(container.Config.Labels?.["dev.sampan.address"]);
    expect(await story.say("web", "get", "http://web:8080/")).toBe("new");
  }),
);

test(
  "an instance that was left frozen while its name was taken goes on with the next server",
  withStory(async (story) => {
    await story.install({ web: SERVE });
    const { Id } = await inspect(story, "web");
    await harness.client.call({ method: "POST", path: `/containers/${Id}/pause`, what: "freeze it" });
    const next = openDocker(harness.options);
    try {
      next.startProbing();
      await expect
        .poll(async () => (await inspect(story, "web")).State.Status, { timeout: 20_000 })
        .toBe("running");
    } finally {
      await next.close();
    }
  }),
);

test(
  "a port that another app holds is told with its holder, and nothing is left",
  withStory(async (story) => {
    const hostPort = await harness.freePort();
    const web = {
      role: ["idle"],
      ports: [{ name: "http", port: 8080, protocol: "http", hostPort }],
    } as const;
    const other = new DockerStory(harness);
    try {
      await other.install({ first: web });
      await expect(story.install({ second: web })).rejects.toMatchObject({
        code: "RUNTIME_PORT_TAKEN",
        message: expect.stringContaining(String(hostPort)),
        why: expect.stringContaining(`component first of app ${other.app.slug}`),
      });
      expect((await story.observe()).instances).toEqual([]);
    } finally {
      await other.remove();
    }
  }),
);

test(
  "files are there under a read-only root and a memory mount, and belong to the user",
  withStory(async (story) => {
    const files = [
      { path: "/etc/app/ünï: odd.conf", content: "one", mode: 0o400 },
      { path: "/run/app/two.conf", content: "two", mode: 0o640 },
    ];
    const mounts = [{ kind: "memory", path: "/run" }] as const;
    const security = { ...SECURITY, readOnlyRoot: true, user: "daemon" };
    await story.install({
      strict: { ...SERVE, files, mounts, security },
      open: { ...SERVE, files, mounts, security: { ...SECURITY, user: "daemon:daemon" } },
    });
    for (const component of ["strict", "open"])
      for (const { path, content, mode } of files) {
        expect(await story.say(component, "cat", path)).toBe(content);
        expect(await story.say(component, "mode", path)).toBe(`0${mode.toString(8)}`);
      }
  }),
);

test(
  "why an instance failed is told with its exit code and log, without secrets",
  withStory(async (story) => {
    const env = { PASSWORD: "hunter22" };
    const failure = async (role: readonly string[]) =>
      await story.install({ job: { role, kind: "job", env, secretEnv: ["PASSWORD"] } }).then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(await failure(["crash", "9"])).toMatchObject({
      code: "RUNTIME_INSTANCE_FAILED",
      message: "job 1 ended with exit code 9",
      why: expect.stringContaining("its log ends with:\ncrashing"),
    });
    const desired = story.desire({ web: { role: ["env", "PASSWORD"], env, secretEnv: ["PASSWORD"] } });
    const error = await story.apply(desired).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "RUNTIME_INSTANCE_FAILED", why: expect.stringContaining("***") });
    expect(JSON.stringify(error)).not.toContain("hunter22");
  }),
);

test("another driver takes up probing from the labels alone", async () => {
  // A site of its own, where no other driver probes.
  const options = { ...harness.options, site: `${harness.options.site}-alone` };
  const [first, second] = [openDocker(options), openDocker(options)];
  const story = new DockerStory({ ...harness, driver: first });
  try {
    await story.install({ web: { role: ["serve"], probes: { live: READY, ready: READY } } });
    second.startProbing();
    await story.say("web", "sick");
    const seen = async () => (await second.observe({ id: story.app.id, images: [] })).instances[0];
    while (((await seen())?.restarts ?? 0) < 1) await harness.sleep(50);
  } finally {
    await story.remove();
    await first.close();
    await second.close();
  }
});

test(
  "ports can be asked from inside where their addresses are not reached",
  withStory(async (story) => {
    const driver = openDocker({ ...harness.options, askFrom: "inside" });
    try {
      const tcp = { ...READY, check: { kind: "tcp", port: 8080 } } as const;
      const desired = story.desire({ web: { ...SERVE, probes: { start: tcp, ready: READY } } });
      await story.apply(desired, driver);
      const ref = await story.instance("web");
      const ask = {
        kind: "http",
        port: 8080,
        path: "/",
        method: "GET",
        headers: {},
        timeoutMs: 5000,
      } as const;
      expect(await driver.request(ref, ask)).toEqual({ status: 200, body: "web" });
      expect(await driver.request(ref, { ...ask, path: "/none" })).toEqual({ status: 404, body: "" });
      for (const kind of ["http", "tcp"] as const)
        await expect(driver.request(ref, { ...ask, kind, port: 9 })).rejects.toMatchObject({
          code: "RUNTIME_NO_ANSWER",
          why: expect.stringContaining("nothing listens"),
        });
    } finally {
      await driver.close();
    }
  }),
);

test(
  "changes are told again after the engine was away",
  withStory(async (story) => {
    const proxy = await openCuttingProxy(harness.client.address, /^never$/);
    const driver = openDocker({ ...harness.options, engine: proxy.address });
    const abort = new AbortController();
    const told: string[] = [];
    const watching = (async () => {
      for await (const change of driver.watch(abort.signal))
        if (change.app === story.app.id) told.push(change.what);
    })();
    const isTold = async (tag: string) => {
      const before = told.length;
      for (let at = 0; told.length === before; at++)
        await story.install({ web: { role: ["idle"], env: { TAG: `${tag}${at}` } } });
    };
    try {
      await isTold("first");
      proxy.drop();
      await isTold("second");
      expect(told).toContain("start");
    } finally {
      abort.abort();
      await watching;
      await driver.close();
      await proxy.close();
    }
  }),
);

test(
  "a command that ran out of time does not go on",
  withStory(async (story) => {
    await story.install({ web: { role: ["idle"] } });
    const ref = await story.instance("web");
    const options = { timeoutMs: 300, outputBytesMax: 100 };
    await expect(
      harness.driver.exec(ref, ["sh", "-c", "/role hang & /role hang"], options),
    ).rejects.toMatchObject({ code: "RUNTIME_TIMEOUT" });
    const { body } = await harness.client.call<{ readonly Processes: readonly (readonly string[])[] }>({
      method: "GET",
      path: `/containers/${ref.id}/top`,
      what: "list processes",
    });
    expect(body.Processes.flat().filter((text) => text.includes("hang"))).toEqual([]);
  }),
);
