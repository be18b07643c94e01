import type { Step } from "@sampan/plan";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DockerHarness, makeDockerHarness } from "./docker-harness.ts";
import { DockerStory } from "./docker-story.ts";
import { LABEL } from "./labels.ts";
import { openDocker } from "./open-docker.ts";
import { removeImage } from "./role-image.ts";

let harness: DockerHarness;
beforeAll(async () => {
  harness = await makeDockerHarness();
});
afterAll(() => harness.close());

const IDLE = { role: ["idle"] } as const;

async function makeNetwork(name: string, subnet: string): Promise<() => Promise<unknown>> {
  const { body } = await harness.client.call<{ readonly Id: string }>({
    method: "POST",
    path: "/networks/create",
    body: { Name: name, IPAM: { Config: [{ Subnet: subnet }] } },
    what: "make a network",
  });
  return () =>
    harness.client.call({ method: "DELETE", path: `/networks/${body.Id}`, what: "remove a network" });
}

const ensureNetwork: Step = {
  id: "s1",
  kind: "network.ensure",
  needs: [],
  why: "",
  timeoutMs: 10_000,
};

test("networks keep off subnets in use, and it is told when none is left", async () => {
  const stories = [new DockerStory(harness), new DockerStory(harness)] as const;
  const remove = await makeNetwork(`${stories[0].app.slug}-other`, "10.214.8.128/25");
  const driver = openDocker({ ...harness.options, addressPool: "10.214.8.0/23" });
  try {
    await stories[0].do(ensureNetwork, stories[0].desire({}), driver);
    const network = await harness.scope.network(stories[0].app.id);
    expect(network?.IPAM?.Config?.[0]?.Subnet).toBe("10.214.9.0/24");
    await expect(stories[1].do(ensureNetwork, stories[1].desire({}), driver)).rejects.toMatchObject({
      code: "RUNTIME_REFUSED",
      why: expect.stringContaining("10.214.8.0/23"),
    });
  } finally {
    for (const story of stories) await story.remove();
    await remove();
    await driver.close();
  }
});

test("a network of the same name that Sampan did not make is refused and left alone", async () => {
  const story = new DockerStory(harness);
  const remove = await makeNetwork(`sampan-${story.app.slug}`, "10.214.10.0/24");
  try {
    await expect(story.do(ensureNetwork, story.desire({}))).rejects.toMatchObject({
      code: "RUNTIME_REFUSED",
      message: expect.stringContaining(`sampan-${story.app.slug}`),
    });
  } finally {
    await remove();
    await story.remove();
  }
});

test("a volume of the same name that Sampan did not make is refused and left alone", async () => {
  const story = new DockerStory(harness);
  const name = `sampan-${story.app.slug}-db-data`;
  const volume = (method: "POST" | "DELETE", path: string) =>
    harness.client.call({ method, path, body: { Name: name }, what: "make or remove a volume" });
  await volume("POST", "/volumes/create");
  try {
    const step: Step = { ...ensureNetwork, kind: "volume.ensure", component: "db", volume: "data" };
    await expect(story.do(step, story.desire({}))).rejects.toMatchObject({
      code: "RUNTIME_REFUSED",
      message: expect.stringContaining(name),
    });
  } finally {
    await volume("DELETE", `/volumes/${name}`);
    await story.remove();
  }
});

test("a container that is not the step's is not removed", async () => {
  const [story, other] = [new DockerStory(harness), new DockerStory(harness)];
  try {
    await other.install({ web: IDLE });
    const { id: instanceId } = await other.instance("web");
    const remove = { ...ensureNetwork, kind: "instance.remove", index: 1, instanceId, graceMs: 0 } as const;
    const steps = [
      { by: story, step: { ...remove, component: "web" } },
      { by: other, step: { ...remove, component: "db" } },
    ];
    for (const { by, step } of steps)
      await expect(by.do(step, by.desire({}))).rejects.toMatchObject({ code: "RUNTIME_REFUSED" });
    expect((await other.instance("web")).id).toBe(instanceId);
  } finally {
    await story.remove();
    await other.remove();
  }
});

test("a container whose labels cannot be read is told, and makes the look incomplete", async () => {
  const story = new DockerStory(harness);
  const { body } = await harness.client.call<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    body: {
      Image: harness.images.role.id,
      Labels: {
        [LABEL.app]: story.app.id,
        [LABEL.site]: harness.options.site,
        [LABEL.component]: "web",
        [LABEL.generation]: "1",
      },
    },
    what: "make a container",
  });
  try {
    const observed = await story.observe();
    expect(observed).toMatchObject({ complete: false, instances: [] });
    expect(observed.remarks).toEqual([expect.stringContaining("cannot be read")]);
  } finally {
    await harness.client.call({
      method: "DELETE",
      path: `/containers/${body.Id}`,
      what: "remove a container",
    });
    await story.remove();
  }
});

test("another image than the one asked for is refused, and does not stay in the engine", async () => {
  const story = new DockerStory(harness);
  const { pullable, absent } = harness.images;
  const lying = { pullReference: () => harness.options.images.pullReference(pullable.id) };
  const driver = openDocker({ ...harness.options, images: lying });
  const step: Step = { ...ensureNetwork, kind: "image.ensure", imageId: absent.id, imageName: absent.name };
  try {
    await expect(story.do(step, story.desire({}), driver)).rejects.toMatchObject({
      code: "RUNTIME_IMAGE_MISMATCH",
      why: expect.stringContaining(pullable.id),
    });
    expect(await driver.findImage(pullable.id)).toBeUndefined();
  } finally {
    await driver.close();
    await story.remove();
  }
});

test("the bytes of a pull are told as they come", async () => {
  const story = new DockerStory(harness);
  const { pullable } = harness.images;
  const step = { ...ensureNetwork, kind: "image.ensure", imageId: pullable.id, imageName: "x" } as const;
  const told: number[] = [];
  try {
    await harness.driver.steps["image.ensure"](step, {
      desired: story.desire({}),
      signal: new AbortController().signal,
      onProgress: ({ done }) => told.push(done),
    });
    // The engine fetches what it lacks: layers that it has are not told.
    expect(told.at(-1)).toBeGreaterThan(0);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  } finally {
    const { reference = "" } = (await harness.options.images.pullReference(pullable.id)) ?? {};
    await removeImage(harness.client, reference);
  }
});

test("a registry that does not answer is told in the engine's words", async () => {
  const story = new DockerStory(harness);
  const { absent } = harness.images;
  const images = { pullReference: async () => ({ reference: `127.0.0.1:9/none@${absent.id}` }) };
  const driver = openDocker({ ...harness.options, images });
  const step: Step = { ...ensureNetwork, kind: "image.ensure", imageId: absent.id, imageName: "shop" };
  try {
    await expect(story.do(step, story.desire({}), driver)).rejects.toMatchObject({
      code: "RUNTIME_REFUSED",
      why: expect.stringContaining("127.0.0.1:9"),
    });
  } finally {
    await driver.close();
  }
});
