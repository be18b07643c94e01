// Sealed bytes, all numbers big-endian:
//   0   8   "SAMPANP1"
//   8   1   log2 of scrypt's N        (17)
//   9   1   scrypt's r                (8)
//   10  1   scrypt's p                (1)
//   11  16  salt
//   27  12  nonce
//   39  …   ciphertext of AES-256-GCM, then its tag (16); the 39 bytes before are authenticated with it
// The key is scrypt (RFC 7914) of the passphrase in NFC as UTF-8.
import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { identityProblem } from "./problems.ts";

const MAGIC = Buffer.from("SAMPANP1");
const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const SALT_AT = 11;
const NONCE_AT = 27;
const HEADER_BYTES = 39;
const NONCE_BYTES = HEADER_BYTES - NONCE_AT;
const TAG_BYTES = 16;
const PASSPHRASE_BYTES_MIN = 8;
const PASSPHRASE_BYTES_MAX = 1024;

interface Cost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** The first recommendation for scrypt of OWASP's password storage cheat sheet: 128 MiB. About 0.5 s. */
const COST: Cost = { log2N: 17, r: 8, p: 1 };
/** More than this was not sealed here, and would be a way to wear the server out: 512 MiB. */
const COST_MAX: Cost = { log2N: 19, r: 8, p: 4 };

const derive = promisify<Buffer, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Seals bytes so that only who knows the passphrase (8 to 1024 bytes) opens them. Throws IDENTITY_PASSPHRASE_INVALID. */
export async function sealWithPassphrase(bytes: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const size = Buffer.byteLength(passphrase);
  if (size < PASSPHRASE_BYTES_MIN || size > PASSPHRASE_BYTES_MAX)
    throw identityProblem("IDENTITY_PASSPHRASE_INVALID", "the passphrase is too short or too long", {
      why: `${PASSPHRASE_BYTES_MIN} to ${PASSPHRASE_BYTES_MAX} bytes are taken`,
    });
  const nonce = randomBytes(NONCE_BYTES);
  const header = Buffer.concat([
    MAGIC,
    Buffer.from([COST.log2N, COST.r, COST.p]),
    randomBytes(NONCE_AT - SALT_AT),
    nonce,
  ]);
  const cipher = createCipheriv(ALGORITHM, await keyOf(passphrase, header, COST), nonce).setAAD(header);
  return Buffer.concat([header, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what {@link sealWithPassphrase} sealed. Throws IDENTITY_PASSPHRASE_WRONG; IDENTITY_SEAL_UNKNOWN when it is no such thing. */
export async function openWithPassphrase(sealed: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const all = Buffer.from(sealed);
  const header = all.subarray(0, HEADER_BYTES);
  const cost: Cost = { log2N: all[8] ?? 0, r: all[9] ?? 0, p: all[10] ?? 0 };
  const isKnown =
    all.length >= HEADER_BYTES + TAG_BYTES &&
    header.subarray(0, MAGIC.length).equals(MAGIC) &&
    isWithin(cost.log2N, COST_MAX.log2N) &&
    isWithin(cost.r, COST_MAX.r) &&
    isWithin(cost.p, COST_MAX.p);
  if (!isKnown)
    throw identityProblem("IDENTITY_SEAL_UNKNOWN", "this was not sealed with a passphrase by this version", {
      why: "it does not begin as the format has it",
      hint: "it is damaged, or comes from a newer version: upgrade Sampan here first",
    });
  const tried = Buffer.byteLength(passphrase) > PASSPHRASE_BYTES_MAX ? "" : passphrase;
  const key = await keyOf(tried, header, cost);
  const nonce = header.subarray(NONCE_AT);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(header)
    .setAuthTag(all.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(all.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw identityProblem("IDENTITY_PASSPHRASE_WRONG", "the passphrase does not open it", {
      why: "it was sealed with another one, or was changed since",
      hint: "mind capitals and the keyboard's language; nobody can open it without the passphrase",
    });
  }
}

function isWithin(value: number, max: number): boolean {
  return value >= 1 && value <= max;
}

function keyOf(passphrase: string, header: Buffer, { log2N, r, p }: Cost): Promise<Buffer> {
  const N = 2 ** log2N;
  // NFC: the same letters give the same bytes whatever keyboard they come from.
  return derive(Buffer.from(passphrase.normalize("NFC")), header.subarray(SALT_AT, NONCE_AT), KEY_BYTES, {
    N,
    r,
    p,
    maxmem: 128 * N * r * 2,
  });
}
