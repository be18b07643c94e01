import { createHash, randomBytes } from "node:crypto";

/** Known to secret scanners by its beginning; the rest is 256 random bits. */
const PREFIX = "smp_";
const FORM = /^smp_[A-Za-z0-9_-]{43}$/;
const RANDOM_BYTES = 32;

/** A new API token, or the value of a session's cookie. It is shown once and not kept. */
export function newToken(): string {
  return PREFIX + randomBytes(RANDOM_BYTES).toString("base64url");
}

/** Whether a text can be a token at all: a cheap look before the database is asked. */
export function isToken(text: string): boolean {
  return FORM.test(text);
}

/** What is kept of a token: SHA-256, 64 hex digits. A slow hash would add nothing to 256 random bits. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
