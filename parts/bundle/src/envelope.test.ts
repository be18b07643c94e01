import { describe, expect, test } from "vitest";
import { parseEnvelope, preAuthEncoding, renderEnvelope, signEnvelope, verifyEnvelope } from "./envelope.ts";
import { generateKeyPair, keyId, signerOf } from "./keys.ts";
import { sampleKey } from "./sample-bundle.ts";

const content = { payloadType: "http://example.com/HelloWorld", payload: Buffer.from("hello world") };
const vendor = sampleKey("vendor");
const other = sampleKey("other");

describe("envelope", () => {
  test("the signed bytes are those of the DSSE protocol", () => {
    const bytes = preAuthEncoding(content.payloadType, content.payload);
    expect(bytes.toString()).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  });

  test("lengths count bytes, not characters", () => {
    expect(preAuthEncoding("é", Buffer.from("春")).toString()).toBe("DSSEv1 2 é 3 春");
  });

  test("what was signed is read back and verifies", async () => {
    const pair = generateKeyPair();
    const envelope = await signEnvelope(content, [signerOf(pair.privateKey)]);
    const read = parseEnvelope(renderEnvelope(envelope));
    expect(read).toEqual(envelope);
    expect(verifyEnvelope(read, [pair.publicKey])).toEqual({
      state: "trusted",
      trusted: [keyId(pair.publicKey)],
      unknown: [],
    });
  });

  test("trusted and unknown keys are told apart", async () => {
    const envelope = await signEnvelope(content, [signerOf(vendor.privateKey), signerOf(other.privateKey)]);
    const both = [keyId(vendor.publicKey), keyId(other.publicKey)];
    expect(verifyEnvelope(envelope, [vendor.publicKey])).toEqual({
      state: "trusted",
      trusted: [both[0]],
      unknown: [both[1]],
    });
    expect(verifyEnvelope(envelope, [])).toMatchObject({ state: "unknown", unknown: [...both].sort() });
    expect(verifyEnvelope({ ...envelope, signatures: [] }, [vendor.publicKey]).state).toBe("none");
  });

  test("a signature that a trusted key did not make is refused, even beside a good one", async () => {
    const envelope = await signEnvelope(content, [signerOf(vendor.privateKey), signerOf(other.privateKey)]);
    const forged = envelope.signatures.map((item) =>
      item.keyId === keyId(other.publicKey) ? { ...item, signature: Buffer.alloc(64, 7) } : item,
    );
    const verify = () =>
      verifyEnvelope({ ...envelope, signatures: forged }, [vendor.publicKey, other.publicKey]);
    expect(verify).toThrowError(expect.objectContaining({ code: "BUNDLE_SIGNATURE_INVALID" }));
  });

  test("another payload or type does not verify", async () => {
    const envelope = await signEnvelope(content, [signerOf(vendor.privateKey)]);
    for (const altered of [
      { ...envelope, payload: Buffer.from("hello worle") },
      { ...envelope, payloadType: "http://example.com/HelloWorle" },
    ])
      expect(() => verifyEnvelope(altered, [vendor.publicKey])).toThrowError(
        expect.objectContaining({ code: "BUNDLE_SIGNATURE_INVALID" }),
      );
  });
});

describe("keys", () => {
  const rsa = `-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----
`;
  for (const [name, pem] of [
    ["nothing", ""],
    ["text", "-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n"],
    ["an RSA key", rsa],
  ] as const)
    test(`${name} is no key`, () => {
      const invalid = expect.objectContaining({ code: "BUNDLE_KEY_INVALID" });
      expect(() => keyId(pem)).toThrowError(invalid);
      expect(() => signerOf(pem)).toThrowError(invalid);
    });

  test("a public key cannot sign, and a private key is not trusted as a public one", () => {
    const invalid = expect.objectContaining({ code: "BUNDLE_KEY_INVALID" });
    expect(() => signerOf(vendor.publicKey)).toThrowError(invalid);
    expect(() => keyId(vendor.privateKey)).toThrowError(invalid);
  });
});
