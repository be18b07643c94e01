import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openSealer, rotateMasterKey } from "./sealing.ts";
import { tempFolder } from "./test-folder.ts";

const invalid = { code: "IDENTITY_SEALED_INVALID" };

async function keyPath(): Promise<string> {
  return join(await tempFolder(), "master.keys");
}

describe("sealed text", () => {
  test("any text opens to what it was, and looks different each time", async () => {
    const { seal, open } = await openSealer(await keyPath());
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 2000 }), (text) => {
        const sealed = seal(text);
        expect(sealed).toMatch(/^s1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/);
        expect(seal(text)).not.toBe(sealed);
        expect(open(sealed)).toBe(text);
      }),
    );
  });

  test("text with any one byte changed does not open", async () => {
    const { seal, open } = await openSealer(await keyPath());
    const sealed = seal("the password is hunter2");
    for (let at = 0; at < sealed.length; at++) {
      // Another letter with another value in every bit that base64url decodes here.
      const other = sealed[at] === "A" ? "_" : "A";
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
      expect(() => open(changed)).toThrow(expect.objectContaining(invalid));
    }
  });

  test.each(["", "plain", "s1", "s1..", "s1.00000000.", "s1.00000000.AAAA", `s2.00000000.${"A".repeat(60)}`])(
    "text that was never sealed does not open: %s",
    async (text) => {
      const { open } = await openSealer(await keyPath());
      expect(() => open(text)).toThrow(expect.objectContaining(invalid));
    },
  );

  test("what was cut short does not open", async () => {
    const { seal, open } = await openSealer(await keyPath());
    const sealed = seal("x".repeat(30));
    for (let length = 0; length < sealed.length; length += 3)
      expect(() => open(sealed.slice(0, length))).toThrow(expect.objectContaining(invalid));
  });

  test("another site's key does not open it", async () => {
    const ours = await openSealer(await keyPath());
    const theirs = await openSealer(await keyPath());
    expect(() => theirs.open(ours.seal("x"))).toThrow(expect.objectContaining(invalid));
  });
});

describe("master keys", () => {
  test("are made once, for the owner alone, and are the same after that", async () => {
    const path = await keyPath();
    const sealed = (await openSealer(path)).seal("x");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await openSealer(path)).open(sealed)).toBe("x");
    expect(await readdir(join(path, ".."))).toEqual(["master.keys"]);
  });

  test("after a rotation the new key seals, and the old one still opens", async () => {
    const path = await keyPath();
    const before = await openSealer(path);
    const old = before.seal("x");
    expect(before.isNewest(old)).toBe(true);
    await rotateMasterKey(path);
    const after = await openSealer(path);
    expect([after.open(old), after.isNewest(old), after.isNewest(after.seal("y"))]).toEqual([
      "x",
      false,
      true,
    ]);
    expect(() => before.open(after.seal("y"))).toThrow(expect.objectContaining(invalid));
  });

  test("that others may read are refused", async () => {
    const path = await keyPath();
    await openSealer(path);
    await chmod(path, 0o640);
    await expect(openSealer(path)).rejects.toMatchObject({ code: "IDENTITY_KEY_EXPOSED" });
  });

  test("in a damaged file are refused, and their bytes are not told", async () => {
    const path = await keyPath();
    await openSealer(path);
    const text = await readFile(path, "utf8");
    const secret = text.split(" ")[1]?.trim() ?? "";
    for (const bad of ["", "x", text.slice(9), `${text}x`, text.replace(/^./, "z"), text.repeat(101)]) {
      await writeFile(path, bad);
      const error: Error = await openSealer(path).then(
        () => new Error("it opened"),
        (reason: Error) => reason,
      );
      expect(error).toMatchObject({ code: "IDENTITY_KEY_FILE_INVALID" });
      expect(JSON.stringify(error) + error.message).not.toContain(secret);
    }
  });
});
