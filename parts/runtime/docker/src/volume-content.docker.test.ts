import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Bytes } from "@sampan/content";
import type { VolumeRef } from "@sampan/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCuttingProxy } from "./cutting-proxy.ts";
import { type DockerHarness, makeDockerHarness } from "./docker-harness.ts";
import { DockerStory } from "./docker-story.ts";
import { EngineScope } from "./engine-scope.ts";
import { writeTar } from "./file-tar.ts";
import { openDocker } from "./open-docker.ts";
import { removeEngineVolume } from "./volume-carrier.ts";

let harness: DockerHarness;
beforeAll(async () => {
  harness = await makeDockerHarness();
});
afterAll(() => harness.close());

const MIB = 1024 ** 2;
const DB = {
  role: ["idle"],
  mounts: [{ kind: "volume", owner: "db", volume: "data", path: "/data", readOnly: false }],
} as const;

function withStory(tell: (story: DockerStory, data: VolumeRef) => Promise<void>): () => Promise<void> {
  return async () => {
    const story = new DockerStory(harness);
    try {
      await tell(story, refOf(story));
    } finally {
      await story.remove();
    }
  };
}

function refOf(story: DockerStory): VolumeRef {
  return { app: story.app, component: "db", volume: "data", imageId: harness.images.role.id };
}

/** Runs a script where the volume is mounted, in an instance that goes again. */
async function inside(story: DockerStory, script: string): Promise<string> {
  await story.install({ db: DB });
  const ref = await story.instance("db");
  const limits = { timeoutMs: 60_000, outputBytesMax: 100_000 };
  const result = await harness.driver.exec(ref, ["bash", "-ec", `cd /data; ${script}`], limits);
  await story.apply(story.desire({}, { remove: true }));
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  return result.stdout;
}

async function readAll(ref: VolumeRef): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of harness.driver.readVolume(ref)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* whole(bytes: Uint8Array): Bytes {
  yield bytes;
}

function tarOf(text: string): Bytes {
  return whole(writeTar([{ path: "file", content: Buffer.from(text), mode: 0o644, uid: 0, gid: 0 }]));
}

const LIST = "find . -printf '%p %y %U:%G %m %T@ %l %n\\n' | LC_ALL=C sort";

test(
  "owners, modes, times and links come back, those of the volume's root too; a socket is left out",
  withStory(async (story, data) => {
    const before = await inside(
      story,
      `mkdir -p sub/empty odd; echo one > sub/one; chown 999:998 sub/one; chmod 4750 sub/one
       ln -s one sub/link; ln -s /nowhere dangling; echo two > odd/two; ln odd/two odd/twin; mkfifo pipe
       truncate -s 5M sparse; echo x > '.wh.file'; echo y > ünï; echo z > ${"n".repeat(200)}
       chown 3000000000:5 ünï; chown 999:998 .; chmod 2770 .
       find . -exec touch -hd '2001-02-03 04:05:06Z' {} +; ${LIST}
       perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "odd/db.sock", Listen => 1) or die'
       touch -d '2001-02-03 04:05:06Z' odd`,
    );
    expect(before).toContain(". d 999:998 2770 981173106");
    const tar = await readAll(data);
    await inside(story, "rm -rf * .wh.file; chown 0:0 .; chmod 0700 .; echo other > other");
    await harness.driver.writeVolume(data, whole(tar));
    expect((await readAll(data)).equals(tar)).toBe(true);
    expect(await inside(story, LIST)).toBe(before);
  }),
);

test(
  "work on a volume that was cut off anywhere leaves the old content, is swept up, and is done by the next attempt",
  withStory(async (story, data) => {
    // What is cut off, each with all that would clean up after it.
    const points = [
      /\/archive|force=true|\/volumes\/sampan/,
      /force=true|\/volumes\/sampan/,
      /\/volumes\/sampan/,
    ];
    await harness.driver.writeVolume(data, tarOf("0"));
    for (const [at, point] of points.entries()) {
      const proxy = await openCuttingProxy(harness.client.address, point);
      const driver = openDocker({ ...harness.options, engine: proxy.address });
      try {
        await expect(driver.writeVolume(data, tarOf("never"))).rejects.toMatchObject({
          code: "RUNTIME_UNREACHABLE",
        });
      } finally {
        await driver.close();
        await proxy.close();
      }
      expect((await harness.remains(story.app.id)).length).toBeGreaterThan(1);
      expect((await story.observe()).volumes).toEqual([{ owner: "db", volume: "data" }]);
      expect(await inside(story, "cat file")).toBe(`${at}`);
      await harness.driver.writeVolume(data, tarOf(`${at + 1}`));
      expect(await inside(story, "cat file")).toBe(`${at + 1}`);
      expect(await harness.remains(story.app.id)).toHaveLength(1);
    }
  }),
);

test(
  "once the new content counts, what stays of the old one is swept up later",
  withStory(async (story, data) => {
    await harness.driver.writeVolume(data, tarOf("old"));
    const proxy = await openCuttingProxy(harness.client.address, /\/volumes\/sampan(?!.*guard)/);
    const driver = openDocker({ ...harness.options, engine: proxy.address });
    await driver.writeVolume(data, tarOf("new"));
    await driver.close();
    await proxy.close();
    expect(await harness.remains(story.app.id)).toHaveLength(2);
    expect((await story.observe()).volumes).toEqual([{ owner: "db", volume: "data" }]);
    expect(await inside(story, "cat file")).toBe("new");
    expect((await readAll(data)).includes("new")).toBe(true);
    expect(await harness.remains(story.app.id)).toHaveLength(1);
  }),
);

test(
  "a volume that was filled in part never counts, even when somebody removed the one before it",
  withStory(async (story, data) => {
    await harness.driver.writeVolume(data, tarOf("old"));
    const [before] = await harness.scope.volumes(story.app.id);
    const proxy = await openCuttingProxy(harness.client.address, /\/archive|force=true|\/volumes\/sampan/);
    const driver = openDocker({ ...harness.options, engine: proxy.address });
    await expect(driver.writeVolume(data, tarOf("never"))).rejects.toThrow();
    await driver.close();
    await proxy.close();
    await removeEngineVolume(harness, before?.Name ?? "");
    expect((await story.observe()).volumes).toEqual([]);
    await expect(readAll(data)).rejects.toMatchObject({ code: "RUNTIME_ABSENT" });
    expect(await harness.remains(story.app.id)).toEqual([]);
  }),
);

test(
  "new content that cannot be made to count is told as that, and the old one stays",
  withStory(async (story, data) => {
    await harness.driver.writeVolume(data, tarOf("old"));
    const guard = async () =>
      (await harness.scope.volumes(story.app.id)).find(({ Name }) => Name.endsWith("-guard"))?.Name ?? "";
    let stranger = "";
    // Such as a program that mounts all volumes of the engine to copy them.
    async function* whileMounted(): Bytes {
      const Mounts = [{ Type: "volume", Source: await guard(), Target: "/copied" }];
      const { body } = await harness.client.call<{ readonly Id: string }>({
        method: "POST",
        path: "/containers/create",
        body: { Image: harness.images.role.id, HostConfig: { Mounts } },
        what: "mount a guard",
      });
      stranger = body.Id;
      yield* tarOf("new");
    }
    try {
      await expect(harness.driver.writeVolume(data, whileMounted())).rejects.toMatchObject({
        code: "RUNTIME_REFUSED",
      });
    } finally {
      const query = { force: true };
      await harness.client.call({
        method: "DELETE",
        path: `/containers/${stranger}`,
        query,
        what: "let go of it",
      });
    }
    expect(await inside(story, "cat file")).toBe("old");
    await harness.driver.writeVolume(data, tarOf("new"));
    expect(await inside(story, "cat file")).toBe("new");
    expect(await harness.remains(story.app.id)).toHaveLength(1);
  }),
);

test("what was left behind is swept up by the next process, with nobody asking for the volume", async () => {
  // A site of its own, where no other driver sweeps.
  const options = { ...harness.options, site: `${harness.options.site}-swept` };
  const scope = new EngineScope(harness.client, options.site);
  const story = new DockerStory(harness);
  const data = refOf(story);
  const proxy = await openCuttingProxy(harness.client.address, /force=true/);
  const [cut, next] = [openDocker({ ...options, engine: proxy.address }), openDocker(options)];
  try {
    await next.writeVolume(data, tarOf("text"));
    await expect(
      (async () => {
        for await (const piece of cut.readVolume(data)) expect(piece.length).toBeGreaterThan(0);
      })(),
    ).rejects.toMatchObject({ code: "RUNTIME_UNREACHABLE" });
    const name = `sampan-${story.app.slug}-db-data-r`;
    const [{ Name: volume } = { Name: "" }] = await scope.volumes(story.app.id);
    expect(volume).toContain(name);
    expect(await scope.containersMounting(volume)).toHaveLength(1);
    next.startProbing();
    while ((await scope.containersMounting(volume)).length > 0) await harness.sleep(50);
  } finally {
    await next.removeVolume(data);
    await cut.close();
    await next.close();
    await proxy.close();
  }
});

test(
  "64 MiB go in and out as they were, in pieces",
  withStory(async (_story, data) => {
    const tar = writeTar([
      { path: "large", content: randomBytes(64 * MIB), mode: 0o600, uid: 999, gid: 999 },
    ]);
    async function* pieces() {
      for (let at = 0; at < tar.length; at += MIB) yield tar.subarray(at, at + MIB);
    }
    await harness.driver.writeVolume(data, pieces());
    const content = createHash("sha256");
    let largest = 0;
    let size = 0;
    for await (const piece of harness.driver.readVolume(data)) {
      largest = Math.max(largest, piece.length);
      size += piece.length;
      content.update(piece);
    }
    const again = createHash("sha256");
    for await (const piece of harness.driver.readVolume(data)) again.update(piece);
    expect(content.digest("hex")).toBe(again.digest("hex"));
    expect(size).toBeGreaterThan(64 * MIB);
    expect(largest).toBeLessThan(4 * MIB);
  }),
);

test(
  "an image that the engine lacks cannot carry, and an absent volume stays absent then",
  withStory(async (story, data) => {
    const lacking = { ...data, imageId: harness.images.absent.id };
    const expected = { code: "RUNTIME_IMAGE_ABSENT" };
    await expect(harness.driver.writeVolume(lacking, tarOf("x"))).rejects.toMatchObject(expected);
    expect(await harness.remains(story.app.id)).toEqual([]);
    await harness.driver.writeVolume(data, tarOf("x"));
    await expect(readAll(lacking)).rejects.toMatchObject(expected);
  }),
);

test(
  "a tar that reaches out of the volume is refused",
  withStory(async (story, data) => {
    const file = { content: Buffer.from("x"), mode: 0o644, uid: 0, gid: 0 };
    const tar = writeTar([{ path: "../../out", ...file }]);
    await expect(harness.driver.writeVolume(data, whole(tar))).rejects.toMatchObject({
      code: "RUNTIME_REFUSED",
    });
    expect(await harness.remains(story.app.id)).toEqual([]);
  }),
);

test("listeners of other programs are told, UDP too, with the program's name", async () => {
  const port = await harness.freePort();
  const socket = createSocket("udp4").bind(port);
  await once(socket, "listening");
  const free = await harness.takePort(port);
  try {
    const taken = ((await harness.driver.takenPorts()) ?? []).filter((one) => one.port === port);
    expect(taken).toEqual([
      { port, protocol: "tcp", by: "program node" },
      { port, protocol: "udp", by: "program node" },
    ]);
  } finally {
    await free();
    socket.close();
  }
});
