import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClient } from "@sampan/api";
import type { Digest } from "@sampan/content";
import { writeTar } from "@sampan/runtime";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "./config.ts";
import { startServer } from "./server.ts";
import { call, jobEnd, logIn, PASSWORD, rolloutEnd } from "./test-server.ts";

const docker = async (...args: string[]) => (await promisify(execFile)("docker", args)).stdout.trim();
const NAME = `sampan-server-test-${process.pid}:1`;

/** An image of one file: it can be carried, though not run. */
async function importImage(): Promise<string> {
  const command = spawn("docker", ["import", "-", NAME], { stdio: ["pipe", "pipe", "inherit"] });
  command.stdin.end(writeTar([{ name: "what", bytes: Buffer.from(`${process.pid} ${Date.now()}`) }]));
  await once(command, "close");
  return await docker("image", "inspect", "--format", "{{.Id}}", NAME);
}

test("the engine pulls an image that it lacks out of the hold, with credentials that only it has", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sampan-pull-"));
  const env = { SAMPAN_DATA: folder, SAMPAN_LISTEN: "127.0.0.1:0", SAMPAN_LOG: "silent" };
  const server = await startServer(readConfig(env, []));
  const id = await importImage();
  onTestFinished(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
    await docker("image", "rm", "-f", id).catch(() => undefined);
  });
  const anonymous = createClient({ baseUrl: server.url, fetch });
  const setup = { enterprise: "Test", userName: "root", password: PASSWORD, teamName: `t${process.pid}` };
  const { team } = await anonymous.setup({ body: setup });
  const cookie = await logIn(server.url, "root");
  const made = await call(server.url, "POST", "/me/tokens", { cookie, body: { name: "test" } });
  const { secret: token } = (await made.json()) as { secret: string };
  const client = createClient({ baseUrl: server.url, fetch, token });

  const web = { kind: "stateless", image: NAME, command: ["/none"], startWithin: "1s", restart: "never" };
  const app = { apiVersion: "sampan/v1", kind: "App", name: "source", components: { web } };
  const created = await client.createApp({ body: { teamId: team.id, app } });
  await rolloutEnd(server, created.rolloutId ?? "");
  const appId = created.appId ?? "";
  const publishing = { template: { name: "Carried" }, version: "1.0", accept: ["all"] };
  const { jobId } = await client.publish({ params: { id: appId }, body: publishing });
  const { digest } = (await jobEnd(server, jobId)) as { digest: Digest };
  await gone(await client.removeApp({ params: { id: appId } }));
  await docker("image", "rm", "-f", id);

  const wish = { release: digest, teamId: team.id, appName: "carried", note: "to see it pulled" };
  const installed = await client.install({ body: wish });
  await rolloutEnd(server, installed.rolloutId ?? "");
  const { plan, results } = await client.getRollout({ params: { id: installed.rolloutId ?? "" } });
  const ensured = plan.steps.find((step) => step.kind === "image.ensure");
  expect(results.find((result) => result.stepId === ensured?.id)).toMatchObject({ state: "done" });
  expect(await docker("image", "inspect", "--format", "{{.Id}}", id)).toBe(id);
  await gone(await client.removeApp({ params: { id: installed.appId ?? "" } }));

  /** The rollout goes with its app. */
  async function gone({ appId: of = "" }: { readonly appId?: string | undefined }): Promise<void> {
    for (;;) {
      const { items } = await client.listApps({ query: {} });
      if (!items.some((one) => one.id === of)) return;
      await server.parts.sleep(50, new AbortController().signal);
    }
  }
});
