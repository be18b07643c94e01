import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { ConformanceHarness } from "./conformance.ts";
import { doStep, withApp } from "./conformance-app.ts";
import { failureOf } from "./conformance-probes.ts";

export function imageRules(given: () => ConformanceHarness): void {
  describe("images", () => {
    test("an image is found by ID and by name, and one that is not there is not", async () => {
      const { driver, images } = given();
      for (const reference of [images.role.id, images.role.name]) {
        const found = await driver.findImage(reference);
        expect(found).toMatchObject({ id: images.role.id, os: "linux" });
        expect(found?.names).toContain(images.role.name);
      }
      expect(await driver.findImage(images.absent.id)).toBeUndefined();
      expect(await driver.findImage("sampan.invalid/nobody/has:this")).toBeUndefined();
    });

    test("saved images are a tar whose config and layers have the digests that name them", async () => {
      const { driver, images } = given();
      const pieces: Uint8Array[] = [];
      for await (const piece of driver.saveImages([images.role.id])) pieces.push(piece);
      const files = readTar(Buffer.concat(pieces));
      const manifest = JSON.parse(text(files.get("manifest.json"))) as { Config: string; Layers: string[] }[];
      expect(manifest).toHaveLength(1);
      const config = files.get(manifest[0]?.Config ?? "");
      expect(sha256(config)).toBe(images.role.id);
      const parsed = JSON.parse(text(config)) as { rootfs: { diff_ids: string[] } };
      expect(manifest[0]?.Layers.map((name) => sha256(files.get(name)))).toEqual(parsed.rootfs.diff_ids);
    });

    test("an image that is not there cannot be saved", async () => {
      const { driver, images } = given();
      const drain = async () => {
        for await (const piece of driver.saveImages([images.absent.id])) expect(piece).toBeDefined();
      };
      await expect(drain()).rejects.toMatchObject({ code: "RUNTIME_IMAGE_ABSENT" });
    });

    test(
      "an image that nobody has is a problem, and no instance is made",
      withApp(given, async (app, { images }) => {
        const desired = app.desire({ web: { roleImage: images.absent } });
        expect(await failureOf(app, desired)).toMatchObject({ code: "RUNTIME_IMAGE_ABSENT" });
        for (const step of (await app.plan(desired)).steps.filter((one) => one.kind === "instance.create"))
          await expect(doStep(app.driver, step, app.context(desired))).rejects.toMatchObject({
            code: "RUNTIME_IMAGE_ABSENT",
          });
        expect((await app.observe()).instances).toEqual([]);
      }),
    );

    test(
      "an image for another architecture is refused",
      withApp(given, async (app, { images }) => {
        const desired = app.desire({ web: { roleImage: images.foreign } });
        expect(await failureOf(app, desired)).toMatchObject({ code: "RUNTIME_WRONG_ARCHITECTURE" });
      }),
    );

    test(
      "a changed image replaces the instance",
      withApp(given, async (app, { images }) => {
        await app.install({ web: { roleImage: images.role } });
        const seen = await app.install({ web: { roleImage: images.other } });
        expect(seen.instances.map((one) => one.imageId)).toEqual([images.other.id]);
      }),
    );

    test(
      "an image that the engine lacks is fetched from the source, with its ID kept",
      withApp(given, async (app, { images }) => {
        const desired = app.desire({ web: { roleImage: images.pullable } });
        expect((await app.observe(desired)).images).toEqual([]);
        const seen = await app.apply(desired);
        expect(seen.images).toEqual([images.pullable.id]);
        expect(seen.instances[0]?.imageId).toBe(images.pullable.id);
      }),
    );
  });
}

/** Regular files of a tar, by name. Enough for what engines write: names in the header itself. */
function readTar(tar: Buffer): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar
      .subarray(at, at + 100)
      .toString()
      .replace(/\0.*$/s, "");
    const size = Number.parseInt(tar.subarray(at + 124, at + 136).toString(), 8) || 0;
    if (name !== "") files.set(name, tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

function sha256(bytes: Uint8Array | undefined): string {
  return `sha256:${createHash("sha256")
    .update(bytes ?? new Uint8Array())
    .digest("hex")}`;
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? new Uint8Array()).toString("utf8");
}
