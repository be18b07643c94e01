import { generateKeyPairSync } from "node:crypto";
import { chmod, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { keyIdOf, parsePublicKey, verifySignature } from "./public-key.ts";
import { openSiteKey } from "./site-key.ts";
import { tempFolder } from "./test-folder.ts";

/** The first key of RFC 8410, section 10.1, and its ID by `openssl pkey -pubin -outform DER | sha256sum`. */
const RFC_KEY = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`;
const RFC_KEY_ID = "sha256:a1e9156054e04fac899ae9f275132cdc07a5dbc4ea2c2ad3a1ffc6e0d253681f";

function pemOf(type: "ed25519" | "x25519", half: "public" | "private"): string {
  const pair = type === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("x25519");
  return half === "public"
    ? pair.publicKey.export({ type: "spki", format: "pem" }).toString()
    : pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

describe("site key", () => {
  test("is made once, for the owner alone, and is the same after that", async () => {
    const path = join(await tempFolder(), "site.key");
    const first = await openSiteKey(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const again = await openSiteKey(path);
    expect(again.keyId).toBe(first.keyId);
    expect(again.keyId).toBe(keyIdOf(first.publicKeyPem));
  });

  test("signs what its public half verifies, and nothing else", async () => {
    const key = await openSiteKey(join(await tempFolder(), "site.key"));
    const other = await openSiteKey(join(await tempFolder(), "site.key"));
    const bytes = Buffer.from("a receipt");
    const signature = await key.sign(bytes);
    expect(signature).toHaveLength(64);
    expect(verifySignature(key.publicKeyPem, bytes, signature)).toBe(true);
    expect(verifySignature(other.publicKeyPem, bytes, signature)).toBe(false);
    expect(verifySignature(key.publicKeyPem, Buffer.from("a receipt."), signature)).toBe(false);
    expect(verifySignature(key.publicKeyPem, bytes, signature.subarray(1))).toBe(false);
    expect(verifySignature(key.publicKeyPem, bytes, Buffer.alloc(64))).toBe(false);
  });

  test("that others may read is refused", async () => {
    const path = join(await tempFolder(), "site.key");
    await openSiteKey(path);
    await chmod(path, 0o604);
    await expect(openSiteKey(path)).rejects.toMatchObject({ code: "IDENTITY_KEY_EXPOSED" });
  });

  test.each([
    ["nothing", ""],
    ["text", "not a key"],
    ["a public key", pemOf("ed25519", "public")],
    ["a key of another type", pemOf("x25519", "private")],
    ["too much", "x".repeat(70_000)],
  ])("a key file that holds %s is refused", async (_what, text) => {
    const path = join(await tempFolder(), "site.key");
    await writeFile(path, text, { mode: 0o600 });
    await expect(openSiteKey(path)).rejects.toMatchObject({ code: "IDENTITY_KEY_FILE_INVALID" });
  });
});

describe("public keys", () => {
  test("a key has the ID that other tools give it", () => {
    expect(parsePublicKey(RFC_KEY)).toEqual({ keyId: RFC_KEY_ID, publicKeyPem: RFC_KEY });
  });

  test("space around and other line ends make no difference", () => {
    const { publicKeyPem } = parsePublicKey(`\n  ${RFC_KEY.replaceAll("\n", "\r\n")}\n`);
    expect(publicKeyPem).toBe(RFC_KEY);
  });

  test.each([
    ["nothing", ""],
    ["text", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@here"],
    ["a private key", pemOf("ed25519", "private")],
    ["a key of another type", pemOf("x25519", "public")],
    ["two keys", RFC_KEY + RFC_KEY],
    ["a broken key", RFC_KEY.replace("MCow", "AAAA")],
    ["a key with more around", `${RFC_KEY}trailing`],
    ["too much", RFC_KEY + " ".repeat(2000)],
  ])("%s is refused", (_what, pem) => {
    expect(() => parsePublicKey(pem)).toThrow(expect.objectContaining({ code: "IDENTITY_KEY_INVALID" }));
  });
});
