import { expect, test } from "vitest";
import { openWithPassphrase, sealWithPassphrase } from "./passphrase-seal.ts";

const PASSPHRASE = "a boat for the far shore";
const text = new TextEncoder().encode("MARK: all that is secret");

test("what was sealed opens with its passphrase, however its letters were typed, and with no other", async () => {
  const sealed = await sealWithPassphrase(text, "passé-partout");
  expect(await openWithPassphrase(sealed, "passe\u0301-partout")).toEqual(Buffer.from(text));
  await expect(openWithPassphrase(sealed, "passe-partout")).rejects.toMatchObject({
    code: "IDENTITY_PASSPHRASE_WRONG",
  });
});

test("sealed bytes show nothing, and are others each time", async () => {
  const [first, second] = [
    await sealWithPassphrase(text, PASSPHRASE),
    await sealWithPassphrase(text, PASSPHRASE),
  ];
  expect(Buffer.from(first).includes("MARK")).toBe(false);
  expect(Buffer.from(first).equals(second)).toBe(false);
  expect(Buffer.from(first).subarray(0, 11).toString("latin1")).toBe("SAMPANP1\x11\x08\x01");
});

test("a byte that was changed anywhere is noticed", async () => {
  const sealed = await sealWithPassphrase(text, PASSPHRASE);
  for (const at of [0, 8, 9, 10, 12, 30, 45, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    const code = at < 11 ? "IDENTITY_SEAL_UNKNOWN" : "IDENTITY_PASSPHRASE_WRONG";
    await expect(openWithPassphrase(changed, PASSPHRASE), `byte ${at}`).rejects.toMatchObject({ code });
  }
  for (const length of [0, 8, 39, 54])
    await expect(openWithPassphrase(sealed.subarray(0, length), PASSPHRASE)).rejects.toMatchObject({
      code: "IDENTITY_SEAL_UNKNOWN",
    });
});

test("passphrases that are too short or too long are refused when sealing, and open nothing", async () => {
  for (const passphrase of ["", "short", "x".repeat(1025)])
    await expect(sealWithPassphrase(text, passphrase)).rejects.toMatchObject({
      code: "IDENTITY_PASSPHRASE_INVALID",
    });
  const sealed = await sealWithPassphrase(text, PASSPHRASE);
  await expect(openWithPassphrase(sealed, "x".repeat(100_000))).rejects.toMatchObject({
    code: "IDENTITY_PASSPHRASE_WRONG",
  });
});
