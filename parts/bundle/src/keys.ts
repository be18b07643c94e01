import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { type Digest, digestFromHex } from "@sampan/content";
import { bundleProblem } from "./problems.ts";

/** Makes signatures. The private key stays where the signer keeps it. */
export interface Signer {
  /** Digest of the public key's SPKI DER. */
  readonly keyId: Digest;
  /** Ed25519 over the bytes as they are: 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** A new Ed25519 key pair as PEM (SPKI, PKCS #8). */
export function generateKeyPair(): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

/** The name of a public key (PEM): digest of its SPKI DER. Throws BUNDLE_KEY_INVALID. */
export function keyId(publicKey: string): Digest {
  return keyIdOf(readPublicKey(publicKey));
}

/** A signer that holds the private key (PEM, PKCS #8) in memory. Throws BUNDLE_KEY_INVALID. */
export function signerOf(privateKey: string): Signer {
  const key = readKey("private", () => createPrivateKey(privateKey));
  return { keyId: keyIdOf(createPublicKey(key)), sign: async (bytes) => sign(null, bytes, key) };
}

export function readPublicKey(pem: string): KeyObject {
  if (pem.includes("PRIVATE KEY"))
    throw invalidKey("public", "it is a private key, which belongs to its signer alone");
  return readKey("public", () => createPublicKey(pem));
}

function readKey(what: "public" | "private", read: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    throw invalidKey(what, "it could not be read");
  }
  if (key.asymmetricKeyType !== "ed25519") throw invalidKey(what, `it is of type ${key.asymmetricKeyType}`);
  return key;
}

function keyIdOf(key: KeyObject): Digest {
  const der = key.export({ type: "spki", format: "der" });
  return digestFromHex(createHash("sha256").update(der).digest("hex"));
}

function invalidKey(what: "public" | "private", why: string) {
  return bundleProblem("BUNDLE_KEY_INVALID", `this is not an Ed25519 ${what} key in PEM form`, {
    why,
    hint: "make one with `openssl genpkey -algorithm ed25519`",
  });
}
