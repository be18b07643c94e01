/** A digest names content: `sha256:` and 64 lower-case hex digits (OCI image-spec, "Digests"). No other algorithm is accepted. */
export type Digest = `sha256:${string}`;

const FORM = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && FORM.test(text);
}

/** The 64 hex digits, as used for file names. */
export function digestHex(digest: Digest): string {
  return digest.slice("sha256:".length);
}

export function digestFromHex(hex: string): Digest {
  return `sha256:${hex}`;
}

/** The first 12 hex digits, for people. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12);
}
