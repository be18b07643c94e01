import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { invalidKeyFile, readKeyFile, writeKeyFile } from "./key-file.ts";
import { keyIdOfKey, type PublicKey } from "./public-key.ts";

/** The site's own key pair: what bundles, site states and receipts are signed with. The private half never leaves this object. */
export interface SiteKey extends PublicKey {
  /** Ed25519 over the bytes as they are: 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/**
 * Reads the private key from a file (PEM, PKCS #8, mode 600); makes one when there is none. Throws IDENTITY_KEY_EXPOSED,
 * IDENTITY_KEY_FILE_INVALID.
 */
export async function openSiteKey(path: string): Promise<SiteKey> {
  const pem = (await readKeyFile(path)) ?? (await makeKeyFile(path));
  const key = readPrivateKey(path, pem);
  const publicKey = createPublicKey(key);
  return {
    keyId: keyIdOfKey(publicKey),
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    sign: async (bytes) => sign(null, bytes, key),
  };
}

async function makeKeyFile(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await writeKeyFile(path, pem);
  return pem;
}

function readPrivateKey(path: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The parser's own words may quote the file.
    throw invalidKeyFile(path, "it holds no private key in PEM (PKCS #8)");
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw invalidKeyFile(path, `it holds a key of type ${key.asymmetricKeyType}`);
  return key;
}
