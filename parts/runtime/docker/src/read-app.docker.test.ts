import type { Digest } from "@sampan/content";
import type { InstanceSpec } from "@sampan/plan";
import type { RunningApp } from "@sampan/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DockerHarness, makeDockerHarness } from "./docker-harness.ts";
import { DockerStory, READY, type StoryComponent } from "./docker-story.ts";
import type { EngineContainer } from "./engine-types.ts";
import { removeImage } from "./role-image.ts";

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

const SECURITY = { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false };
const FILES = [
  { path: "/etc/app.conf", content: "\uFEFFpassword = hunter22\n", mode: 0o640 },
  { path: "/run/app/socket.conf", content: "ünï 舢板", mode: 0o600 },
];
const SERVE: StoryComponent = { role: ["serve"], probes: { ready: READY } };

async function read(story: DockerStory): Promise<RunningApp> {
  return (await harness.driver.readApp(story.app.id)) as RunningApp;
}

async function specsOf(story: DockerStory): Promise<readonly InstanceSpec[]> {
  return (await read(story)).components.map(({ spec }) => spec);
}

test(
  "files under a read-only root, and variables and labels that the image has too, are read back",
  withStory(async (story) => {
    const image = await imageWith("ENV SAME=same OTHER=other", "LABEL same=same other=other");
    try {
      const desired = story.desire({
        strict: {
          ...SERVE,
          image,
          env: { SAME: "same", PASSWORD: "hunter22", MULTI: "a=b\nc" },
          secretEnv: ["PASSWORD"],
          labels: { same: "same", mine: "yes" },
          files: FILES,
          mounts: [{ kind: "memory", path: "/run" }],
          security: { ...SECURITY, readOnlyRoot: true, user: "daemon" },
        },
      });
      await story.apply(desired);
      expect(await read(story)).toEqual({ ...desired, remarks: [] });
    } finally {
      await story.apply(story.desire({}));
      await removeImage(harness.client, image.name);
    }
  }),
);

test(
  "an app whose instances do not run is read back all the same",
  withStory(async (story) => {
    const desired = story.desire({ web: { ...SERVE, files: FILES } });
    await story.apply(desired);
    const { id } = await story.instance("web");
    await harness.client.call({
      method: "POST",
      path: `/containers/${id}/stop`,
      query: { t: 0 },
      what: "stop",
    });
    expect(await read(story)).toEqual({ ...desired, remarks: [] });
  }),
);

test(
  "no label holds a secret, the content of a file or a command",
  withStory(async (story) => {
    const env = { PASSWORD: "hunter22" };
    const web = { role: ["serve", "0", "hunter22"], env, secretEnv: ["PASSWORD"], files: FILES };
    await story.install({ web });
    const { id } = await story.instance("web");
    const { Config } = (await harness.scope.inspect(id)) as EngineContainer;
    expect(JSON.stringify(Config.Labels)).not.toContain("hunter22");
    expect(await specsOf(story)).toMatchObject([{ command: ["/role", ...web.role], env, files: FILES }]);
  }),
);

test(
  "a config file is read back as it is now, and one that is gone is remarked",
  withStory(async (story) => {
    const folder = { path: "/etc/folder.conf", content: "a file at first", mode: 0o644 };
    await story.install({ web: { ...SERVE, files: [...FILES, folder] } });
    await story.say("web", "write", "/etc/app.conf", "rewritten");
    const ref = await story.instance("web");
    const limits = { timeoutMs: 10_000, outputBytesMax: 1000 };
    const script =
      "rm -r /run/app; rm /etc/folder.conf; mkdir /etc/folder.conf; echo no > /etc/folder.conf/inner";
    await harness.driver.exec(ref, ["sh", "-c", script], limits);
    const { components, remarks } = await read(story);
    expect(components[0]?.spec.files).toEqual([{ path: "/etc/app.conf", content: "rewritten", mode: 0o640 }]);
    expect(remarks).toEqual([
      expect.stringContaining("/run/app/socket.conf of web could not be read back"),
      expect.stringContaining("/etc/folder.conf of web could not be read back"),
    ]);
  }),
);

test(
  "an app of which a container does not tell all is refused, not read in part",
  withStory(async (story) => {
    await story.install({ web: { role: ["idle"] } });
    const { id } = await story.instance("web");
    const { Config } = (await harness.scope.inspect(id)) as EngineContainer;
    const { "dev.sampan.recipe": _, ...Labels } = Config.Labels ?? {};
    const { body } = await harness.client.call<{ readonly Id: string }>({
      method: "POST",
      path: "/containers/create",
      body: { Image: harness.images.role.id, Labels },
      what: "make a container",
    });
    await expect(read(story)).rejects.toMatchObject({ code: "RUNTIME_UNREADABLE" });
    await harness.client.call({ method: "DELETE", path: `/containers/${body.Id}`, what: "remove it" });
    expect(await read(story)).toMatchObject({ remarks: [] });
  }),
);

/** The role image with more in its config, by the engine's own build instructions. */
async function imageWith(
  ...changes: readonly string[]
): Promise<{ readonly id: Digest; readonly name: string }> {
  const { client, images } = harness;
  const { body: container } = await client.call<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    body: { Image: images.role.id },
    what: "make a container",
  });
  const [repo = ""] = images.role.name.split(":");
  const { body } = await client.call<{ readonly Id: Digest }>({
    method: "POST",
    path: "/commit",
    query: { container: container.Id, repo, tag: "with-more", changes },
    what: "make an image",
  });
  await client.call({ method: "DELETE", path: `/containers/${container.Id}`, what: "remove a container" });
  return { id: body.Id, name: `${repo}:with-more` };
}
