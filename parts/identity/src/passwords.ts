import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { Bug } from "@sampan/problem";
import { identityProblem } from "./problems.ts";

const PASSWORD_BYTES_MIN = 8;
const PASSWORD_BYTES_MAX = 1024;
const SALT_BYTES = 16;
const TAG_BYTES = 32;

interface Cost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The second recommendation of OWASP's password storage cheat sheet: 19 MiB, two passes. About 0.1 s. */
const COST: Cost = { memoryKiB: 19_456, passes: 2, lanes: 1 };
/** More than this is no hash of ours, and would be a way to wear the server out. */
const COST_MAX: Cost = { memoryKiB: 1_048_576, passes: 16, lanes: 16 };

const derive = promisify(argon2);

/**
 * Argon2id of a password as a PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`). 8 to 1024 bytes; throws
 * IDENTITY_PASSWORD_INVALID.
 */
export async function hashPassword(password: string): Promise<string> {
  const size = Buffer.byteLength(password);
  if (size < PASSWORD_BYTES_MIN || size > PASSWORD_BYTES_MAX)
    throw identityProblem("IDENTITY_PASSWORD_INVALID", "the password is too short or too long", {
      why: `${PASSWORD_BYTES_MIN} to ${PASSWORD_BYTES_MAX} bytes are taken`,
    });
  const salt = randomBytes(SALT_BYTES);
  return renderPhc(COST, salt, await tagOf(password, salt, COST));
}

/** False for no hash too, and then no sooner: the time does not tell whether a user exists. */
export async function verifyPassword(password: string, phc: string | undefined): Promise<boolean> {
  const tooLong = Buffer.byteLength(password) > PASSWORD_BYTES_MAX;
  const tried = tooLong ? "" : password;
  if (phc === undefined) {
    await tagOf(tried, randomBytes(SALT_BYTES), COST);
    return false;
  }
  const { cost, salt, tag } = parsePhc(phc);
  return timingSafeEqual(await tagOf(tried, salt, cost), tag) && !tooLong;
}

/** True when a hash was made at another cost than new ones are: hash the password again at the next login. */
export function isOutdated(phc: string): boolean {
  const { cost } = parsePhc(phc);
  return cost.memoryKiB !== COST.memoryKiB || cost.passes !== COST.passes || cost.lanes !== COST.lanes;
}

function tagOf(password: string, nonce: Uint8Array, cost: Cost): Promise<Buffer> {
  // NFC: the same letters give the same bytes whatever keyboard they come from.
  const message = Buffer.from(password.normalize("NFC"));
  return derive("argon2id", {
    message,
    nonce,
    parallelism: cost.lanes,
    tagLength: TAG_BYTES,
    memory: cost.memoryKiB,
    passes: cost.passes,
  }) as Promise<Buffer>;
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

function renderPhc(cost: Cost, salt: Buffer, tag: Buffer): string {
  const base64 = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");
  return `$argon2id$v=19$m=${cost.memoryKiB},t=${cost.passes},p=${cost.lanes}$${base64(salt)}$${base64(tag)}`;
}

function parsePhc(phc: string): { readonly cost: Cost; readonly salt: Buffer; readonly tag: Buffer } {
  const match = PHC.exec(phc);
  const [memoryKiB, passes, lanes] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])];
  const allowed =
    memoryKiB <= COST_MAX.memoryKiB &&
    passes <= COST_MAX.passes &&
    lanes <= COST_MAX.lanes &&
    lanes > 0 &&
    passes > 0;
  if (match === null || !allowed) throw new Bug("a stored password hash is not one of ours");
  return {
    cost: { memoryKiB, passes, lanes },
    salt: Buffer.from(match[4] ?? "", "base64"),
    tag: Buffer.from(match[5] ?? "", "base64"),
  };
}
