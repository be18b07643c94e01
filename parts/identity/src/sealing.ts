// Sealed text:   s1.<key>.<base64url of nonce (12) | ciphertext | tag (16)>
//                AES-256-GCM; `s1.<key>` is authenticated with it. <key> is the beginning of SHA-256 of the key, 8 hex digits.
// Master keys:   one line each, `<key> <base64 of 32 bytes>`; the first seals, all open.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { invalidKeyFile, readKeyFile, writeKeyFile } from "./key-file.ts";
import { identityProblem } from "./problems.ts";

const VERSION = "s1";
const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEYS_MAX = 100;
const SEALED = /^s1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/;
const LINE = /^([0-9a-f]{8}) ([A-Za-z0-9+/]{43}=)$/;

/** Encrypts secrets at rest. */
export interface Sealer {
  /** Sealed with the newest key; the same text gives another sealed text each time. */
  seal(text: string): string;
  /** Throws IDENTITY_SEALED_INVALID when it was changed, or its key is not held. */
  open(sealed: string): string;
  /** Whether it was sealed with the newest key: what was not can be sealed again after a rotation. */
  isNewest(sealed: string): boolean;
}

interface MasterKey {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Reads the master keys from a file (mode 600); makes one when there is none. Throws IDENTITY_KEY_EXPOSED, IDENTITY_KEY_FILE_INVALID. */
export async function openSealer(path: string): Promise<Sealer> {
  const text = await readKeyFile(path);
  if (text !== undefined) return sealerOf(parseKeys(path, text));
  const keys = [newKey()];
  await writeKeyFile(path, renderKeys(keys));
  return sealerOf(keys);
}

/** Adds a new first key to the file: from the next opening on, it seals. Older keys stay, and open what they sealed. */
export async function rotateMasterKey(path: string): Promise<void> {
  const text = await readKeyFile(path);
  const older = text === undefined ? [] : parseKeys(path, text);
  await writeKeyFile(path, renderKeys([newKey(), ...older]));
}

function sealerOf(keys: readonly MasterKey[]): Sealer {
  const byName = new Map(keys.map((key) => [key.name, key.bytes]));
  const [newest] = keys;
  if (newest === undefined) throw invalidKeyFile("of master keys", "it holds none");
  return {
    seal(text) {
      const header = `${VERSION}.${newest.name}`;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, newest.bytes, nonce).setAAD(Buffer.from(header));
      const body = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return `${header}.${body.toString("base64url")}`;
    },
    open: (sealed) => unseal(byName, sealed),
    isNewest: (sealed) => sealed.startsWith(`${VERSION}.${newest.name}.`),
  };
}

function unseal(keys: ReadonlyMap<string, Buffer>, sealed: string): string {
  const [, name = "", encoded = ""] = SEALED.exec(sealed) ?? [];
  const body = Buffer.from(encoded, "base64url");
  if (body.length < NONCE_BYTES + TAG_BYTES) throw unopened("it has not the form of sealed text");
  const key = keys.get(name);
  if (key === undefined) throw unopened(`its key ${name} is not in the master key file`);
  const decipher = createDecipheriv(ALGORITHM, key, body.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(`${VERSION}.${name}`))
    .setAuthTag(body.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch {
    throw unopened("it was changed since it was sealed, or the key is another one");
  }
}

function newKey(): MasterKey {
  const bytes = randomBytes(KEY_BYTES);
  return { name: nameOf(bytes), bytes };
}

function nameOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8);
}

function renderKeys(keys: readonly MasterKey[]): string {
  return keys.map((key) => `${key.name} ${key.bytes.toString("base64")}\n`).join("");
}

function parseKeys(path: string, text: string): readonly MasterKey[] {
  const lines = text.split("\n").filter((line) => line !== "");
  if (lines.length === 0 || lines.length > KEYS_MAX)
    throw invalidKeyFile(path, `it has ${lines.length} keys`);
  return lines.map((line, index) => {
    const match = LINE.exec(line);
    const bytes = Buffer.from(match?.[2] ?? "", "base64");
    if (match === null || bytes.length !== KEY_BYTES || nameOf(bytes) !== match[1])
      throw invalidKeyFile(path, `line ${index + 1} holds no key`);
    return { name: match[1], bytes };
  });
}

function unopened(why: string) {
  return identityProblem("IDENTITY_SEALED_INVALID", "a sealed secret does not open", {
    why,
    hint: "restore the master key file that belongs to this database",
  });
}
