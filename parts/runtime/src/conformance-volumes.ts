import type { Bytes } from "@sampan/content";
import { describe, expect, test } from "vitest";
import type { ConformanceHarness } from "./conformance.ts";
import { ROLE_PORT, type TestApp, withApp } from "./conformance-app.ts";
import { volumeAt } from "./conformance-life.ts";
import type { Driver, VolumeRef } from "./driver.ts";
import { writeTar } from "./tar-writer.ts";

export function volumeRules(given: () => ConformanceHarness): void {
  contentRules(given);
  refusalRules(given);
  portRules(given);
}

function contentRules(given: () => ConformanceHarness): void {
  describe("content of volumes", () => {
    test(
      "what was read from a volume is there again once it is written, and nothing else is",
      withApp(given, async (app, harness) => {
        const data = dataOf(app, harness);
        await fill(app, { one: "1", two: "2" });
        const tar = await readAll(app.driver, data);
        await fill(app, { one: "changed", three: "3" });
        await app.driver.writeVolume(data, inPieces(tar));
        expect(await contentOf(app, ["one", "two", "three"])).toEqual(["1", "2", undefined]);
      }),
    );

    test(
      "a volume reads the same when nothing changed, and when it was written as it was read",
      withApp(given, async (app, harness) => {
        const data = dataOf(app, harness);
        await fill(app, { b: "text", a: "", ünï: "舢板", large: "x".repeat(70_000) });
        const tar = await readAll(app.driver, data);
        expect((await readAll(app.driver, data)).equals(tar)).toBe(true);
        for (let time = 0; time < 2; time++) {
          await app.driver.writeVolume(data, inPieces(tar));
          expect((await readAll(app.driver, data)).equals(tar)).toBe(true);
        }
      }),
    );

    test(
      "a volume is made by writing it, is seen then, and goes when it is removed",
      withApp(given, async (app, harness) => {
        const data = dataOf(app, harness);
        const seen = async () => (await app.observe()).volumes;
        await app.driver.removeVolume(data);
        await app.driver.writeVolume(data, inPieces(tarOf({ file: "text" })));
        expect(await seen()).toEqual([{ owner: "db", volume: "data" }]);
        expect(await contentOf(app, ["file"])).toEqual(["text"]);
        await app.driver.removeVolume(data);
        await app.driver.removeVolume(data);
        expect(await seen()).toEqual([]);
        await expect(readAll(app.driver, data)).rejects.toMatchObject({ code: "RUNTIME_ABSENT" });
        await fill(app, {});
        expect(await contentOf(app, ["file"])).toEqual([undefined]);
      }),
    );

    test(
      "volumes of two apps, and two volumes of one, do not mix",
      withApp(
        given,
        async (app, harness) =>
          await withApp(
            () => harness,
            async (other) => {
              const refs = [
                dataOf(app, harness),
                { ...dataOf(app, harness), volume: "more" },
                dataOf(other, harness),
              ];
              for (const [at, ref] of refs.entries())
                await app.driver.writeVolume(ref, inPieces(tarOf({ file: `${at}` })));
              const tars = await Promise.all(refs.map((ref) => readAll(app.driver, ref)));
              expect(new Set(tars.map((tar) => tar.toString("latin1"))).size).toBe(3);
              expect(await contentOf(app, ["file"])).toEqual(["0"]);
              expect(await contentOf(other, ["file"])).toEqual(["2"]);
            },
          )(),
      ),
    );
  });
}

function refusalRules(given: () => ConformanceHarness): void {
  describe("volumes that cannot be written or read", () => {
    test(
      "a volume that an instance mounts is neither written nor removed",
      withApp(given, async (app, harness) => {
        const data = dataOf(app, harness);
        await app.install(DB);
        await app.exec("db", ["write", "/data/file", "mine"]);
        const expected = {
          code: "RUNTIME_REFUSED",
          why: expect.stringMatching(/db.1/),
        };
        const tar = tarOf({ file: "other" });
        await expect(app.driver.writeVolume(data, inPieces(tar))).rejects.toMatchObject(expected);
        await expect(app.driver.removeVolume(data)).rejects.toMatchObject(expected);
        expect(await app.say("db", "cat", "/data/file")).toBe("mine");
        // A running writer does not keep a volume from being read.
        expect((await readAll(app.driver, data)).includes("mine")).toBe(true);
      }),
    );

    test(
      "a write that is broken off leaves the volume as it was",
      withApp(given, async (app, harness) => {
        const data = dataOf(app, harness);
        const tar = tarOf({ file: "new", other: "y".repeat(100_000) });
        const broken = new Error("the source broke");
        const cancelled = new Error("cancelled");
        const attempts = (abort: AbortController) => [
          { tar: cutOff(tar, broken), fails: (error: unknown) => error === broken },
          { tar: inPieces(tar.subarray(0, 1024)), fails: isRefused },
          { tar: inPieces(tar.subarray(0, 20_000)), fails: isRefused },
          { tar: inPieces(Buffer.from("no tar at all".repeat(100))), fails: isRefused },
          { tar: inPieces(Buffer.alloc(0)), fails: isRefused },
          {
            tar: cutOff(tar, cancelled, () => abort.abort(cancelled)),
            fails: (error: unknown) => error === cancelled,
            signal: abort.signal,
          },
        ];
        const attempt = async () => {
          for (const { tar: bytes, fails, signal } of attempts(new AbortController())) {
            const failure = await app.driver
              .writeVolume(data, bytes, signal)
              .catch((error: unknown) => error);
            expect(failure).toSatisfy(fails);
          }
        };
        await attempt();
        expect((await app.observe()).volumes).toEqual([]);
        await fill(app, { file: "old" });
        const before = await readAll(app.driver, data);
        await attempt();
        expect((await readAll(app.driver, data)).equals(before)).toBe(true);
        expect((await app.observe()).volumes).toHaveLength(1);
        expect(await harness.remains(app.ref.id)).toHaveLength(1);
      }),
    );

    test(
      "reading that is left early leaves nothing behind",
      withApp(given, async (app, harness) => {
        const data = dataOf(app, harness);
        await fill(app, { file: "x".repeat(100_000) });
        for await (const piece of app.driver.readVolume(data)) {
          expect(piece.length).toBeGreaterThan(0);
          break;
        }
        await app.driver.removeVolume(data);
        expect(await harness.remains(app.ref.id)).toEqual([]);
      }),
    );

    test(
      "an engine that does not answer is said to be unreachable by each verb",
      withApp(given, async (app, harness) => {
        const driver = await harness.unreachable();
        const data = dataOf(app, harness);
        try {
          const expected = { code: "RUNTIME_UNREACHABLE" };
          await expect(readAll(driver, data)).rejects.toMatchObject(expected);
          const tar = inPieces(tarOf({}));
          await expect(driver.writeVolume(data, tar)).rejects.toMatchObject(expected);
          await expect(driver.removeVolume(data)).rejects.toMatchObject(expected);
          await expect(driver.takenPorts()).rejects.toMatchObject(expected);
          const ref = { app: app.ref.id, component: "db", id: "any" };
          await expect(driver.stats(ref)).rejects.toMatchObject(expected);
          await expect(
            driver.exec(ref, ["/role"], { timeoutMs: 1000, outputBytesMax: 100 }),
          ).rejects.toMatchObject(expected);
        } finally {
          await driver.close();
        }
      }),
    );
  });
}

function portRules(given: () => ConformanceHarness): void {
  describe("ports of the machine", () => {
    test(
      "a port that an instance exposes is taken, and it is told by whom; so is one that something else holds",
      withApp(given, async (app, harness) => {
        const [own, foreign, free] = [
          await harness.freePort(),
          await harness.freePort(),
          await harness.freePort(),
        ];
        const give = await harness.takePort(foreign);
        try {
          const ports = [{ name: "http", port: ROLE_PORT, protocol: "http" as const, hostPort: own }];
          await app.install({ web: { ports } });
          const taken = (await app.driver.takenPorts()) ?? [];
          const at = (port: number) => taken.filter((one) => one.port === port);
          expect(at(own)).toEqual([
            { port: own, protocol: "tcp", by: `component web of app ${app.ref.slug}`, app: app.ref.id },
          ]);
          expect(at(foreign)).toMatchObject([{ port: foreign, protocol: "tcp" }]);
          expect(at(foreign)[0]).not.toHaveProperty("app");
          expect(at(free)).toEqual([]);
        } finally {
          await give();
        }
      }),
    );
  });
}

const DB = { db: { kind: "stateful" as const, mounts: [volumeAt("db", "data", "/data")] } };

function dataOf(app: TestApp, harness: ConformanceHarness): VolumeRef {
  return { app: app.ref, component: "db", volume: "data", imageId: harness.images.role.id };
}

/** Writes files into the volume through an instance, which goes again. */
async function fill(app: TestApp, files: Readonly<Record<string, string>>): Promise<void> {
  await app.install(DB);
  for (const [name, text] of Object.entries(files))
    expect((await app.exec("db", ["write", `/data/${name}`, text])).exitCode).toBe(0);
  await app.apply(app.desire({}, { remove: true }));
}

/** What an instance finds in the volume. */
async function contentOf(app: TestApp, names: readonly string[]): Promise<readonly (string | undefined)[]> {
  await app.install(DB);
  const texts: (string | undefined)[] = [];
  for (const name of names) {
    const { exitCode, stdout } = await app.exec("db", ["cat", `/data/${name}`]);
    texts.push(exitCode === 0 ? stdout : undefined);
  }
  await app.apply(app.desire({}, { remove: true }));
  return texts;
}

function tarOf(files: Readonly<Record<string, string>>): Buffer {
  return Buffer.from(
    writeTar(Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) }))),
  );
}

async function readAll(driver: Driver, ref: VolumeRef): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of driver.readVolume(ref)) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Uint8Array): Bytes {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

async function* cutOff(bytes: Uint8Array, error: Error, before = () => {}): Bytes {
  yield bytes.subarray(0, bytes.length / 2);
  before();
  throw error;
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "RUNTIME_REFUSED";
}
