import type { Bundle } from "./bundle.ts";
import { type SignatureReport, verifyEnvelope } from "./envelope.ts";
import { bundleProblem } from "./problems.ts";

/** Whom a site believes. */
export interface Trust {
  /** Public keys, PEM (SPKI). */
  readonly keys: readonly string[];
  /** `signed`: one of the keys must have signed. `any`: also bundles that are unsigned, or signed by unknown keys only. */
  readonly accept: "signed" | "any";
}

/** Who signed, as far as the given public keys (PEM) can tell. Throws BUNDLE_SIGNATURE_INVALID, BUNDLE_KEY_INVALID. */
export function verifySignatures(bundle: Bundle, trustedKeys: readonly string[]): SignatureReport {
  return verifyEnvelope(bundle.envelope, trustedKeys);
}

/** Like {@link verifySignatures}, and refuses what `trust` does not accept: BUNDLE_UNSIGNED, BUNDLE_UNTRUSTED. */
export function requireTrust(bundle: Bundle, trust: Trust): SignatureReport {
  const report = verifySignatures(bundle, trust.keys);
  if (report.state === "trusted" || trust.accept === "any") return report;
  if (report.state === "none")
    throw bundleProblem("BUNDLE_UNSIGNED", "the bundle is not signed", {
      why: "nobody can tell who made it, and this site takes signed bundles only",
      hint: "ask the publisher for a signed one, or accept unsigned bundles explicitly",
    });
  throw bundleProblem("BUNDLE_UNTRUSTED", "the bundle is signed by a key that is not trusted here", {
    why: `it was signed by ${report.unknown.join(", ")}; ${trust.keys.length} keys are trusted`,
    hint: "compare the key ID with the publisher by another way, then add the key",
  });
}
