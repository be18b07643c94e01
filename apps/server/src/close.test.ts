import { API_PREFIX } from "@sampan/api";
import { expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { startServer } from "./server.ts";
import { smallApp, testServer } from "./test-server.ts";

const TEN_SECONDS_MS = 10_000;

test(
  "a server closes in time though a step of the engine hangs and a client listens, and the next one goes on",
  async () => {
    const server = await testServer();
    let begun = (): void => undefined;
    const hanging = new Promise<void>((resolve) => {
      begun = resolve;
    });
    server.engine.onStep = async () => {
      begun();
      await new Promise<never>(() => undefined);
    };
    const body = { teamId: server.teamId, app: smallApp("hanging") };
    const { rolloutId = "" } = await server.admin.client.createApp({ body });
    await hanging;
    await server.admin.client.streamEvents({});
    await server.close();
    expect(server.log.join("")).toContain("work did not end in time");
    await expect(fetch(`${server.url}${API_PREFIX}/health`)).rejects.toThrow();

    const env = { SAMPAN_DATA: `${server.folder}/data`, SAMPAN_LISTEN: "127.0.0.1:0", SAMPAN_LOG: "silent" };
    const next = await startServer(readConfig(env, ["--dev"]));
    const { parts } = next;
    for (let state = "running"; state !== "succeeded"; ) {
      ({ state } = await parts.store.rollouts.get(rolloutId));
      await parts.sleep(20, new AbortController().signal);
    }
    await next.close();
    await server.end();
  },
  2 * TEN_SECONDS_MS,
);

test("a server that has nothing to do closes without waiting for anything", async () => {
  const server = await testServer();
  await server.close();
  expect(server.log.join("")).not.toContain("in time");
  await server.end();
});
