import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { type Digest, digestFromHex } from "@sampan/content";
import { identityProblem } from "./problems.ts";

const PEM_LENGTH_MAX = 1024;
const PEM = /^\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*$/;

/** A public key that was read, in the one form in which it is kept. */
export interface PublicKey {
  /** Digest of the key's SPKI DER: the name of the key. */
  readonly keyId: Digest;
  /** PEM (SPKI), normalised. */
  readonly publicKeyPem: string;
}

/** Reads one Ed25519 public key in PEM, at most 1 KiB. Throws IDENTITY_KEY_INVALID. */
export function parsePublicKey(pem: string): PublicKey {
  const key = readPublicKey(pem);
  return { keyId: keyIdOfKey(key), publicKeyPem: key.export({ type: "spki", format: "pem" }).toString() };
}

/** The name of a public key (PEM). Throws IDENTITY_KEY_INVALID. */
export function keyIdOf(pem: string): Digest {
  return keyIdOfKey(readPublicKey(pem));
}

/** Whether the signature is that key's, of exactly these bytes. Throws IDENTITY_KEY_INVALID. */
export function verifySignature(publicKeyPem: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, readPublicKey(publicKeyPem), signature);
}

export function keyIdOfKey(key: KeyObject): Digest {
  const der = key.export({ type: "spki", format: "der" });
  return digestFromHex(createHash("sha256").update(der).digest("hex"));
}

function readPublicKey(pem: string): KeyObject {
  if (pem.length > PEM_LENGTH_MAX)
    throw invalid(`it has ${pem.length} characters; ${PEM_LENGTH_MAX} are taken`);
  if (pem.includes("PRIVATE KEY")) throw invalid("it is a private key, which must never leave its site");
  if (!PEM.test(pem)) throw invalid("it is not one block of PEM that begins with BEGIN PUBLIC KEY");
  let key: KeyObject;
  try {
    key = createPublicKey(pem.trim());
  } catch (error) {
    throw invalid("it cannot be decoded", error);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw invalid(`it is a key of type ${key.asymmetricKeyType}, not Ed25519`);
  return key;
}

function invalid(why: string, cause?: unknown) {
  return identityProblem("IDENTITY_KEY_INVALID", "the public key cannot be used", {
    why,
    hint: "ask its owner for the key again, and compare the key ID by another way",
    ...(cause === undefined ? {} : { cause }),
  });
}
