import type {
  importBundle,
  keyId,
  openBundle,
  parseEnvelope,
  previewBundle,
  renderEnvelope,
  Signer,
  signEnvelope,
  verifyBundle,
  verifyEnvelope,
  verifySignatures,
  writeBundle,
} from "@sampan/bundle";
import type { Digest } from "@sampan/content";
import type { Hold } from "@sampan/hold";
import type { openWithPassphrase, sealWithPassphrase } from "@sampan/identity";
import type { Driver } from "@sampan/runtime";
import type { Store } from "@sampan/store";
import type { StepProgress } from "./step-progress.ts";

/** Everything outside that the verbs work with. The server gives the real ones, tests give memory ones. */
export interface Parts {
  readonly store: Store;
  readonly hold: Hold;
  readonly driver: Driver;
  readonly bundles: {
    readonly writeBundle: typeof writeBundle;
    readonly previewBundle: typeof previewBundle;
    readonly openBundle: typeof openBundle;
    readonly importBundle: typeof importBundle;
    readonly verifySignatures: typeof verifySignatures;
    readonly verifyBundle: typeof verifyBundle;
  };
  /** How what leaves the site is signed, and what comes back is checked. */
  readonly envelopes: {
    readonly signEnvelope: typeof signEnvelope;
    readonly renderEnvelope: typeof renderEnvelope;
    readonly parseEnvelope: typeof parseEnvelope;
    readonly verifyEnvelope: typeof verifyEnvelope;
    readonly keyId: typeof keyId;
  };
  /** How far the steps of rollouts that are under way have come. */
  readonly progress: StepProgress;
  /** What a backup's secrets are sealed with. */
  readonly passphrases: {
    readonly sealWithPassphrase: typeof sealWithPassphrase;
    readonly openWithPassphrase: typeof openWithPassphrase;
  };
  readonly site: SiteIdentity;
  readonly nowMs: () => number;
  /** When the server began: what broke before, and how often, is forgiven. */
  readonly startedMs: number;
  readonly newId: (prefix: string) => string;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly sha256: (text: string) => Digest;
  readonly sha256Bytes: (bytes: Uint8Array) => Digest;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called after a change was committed, so that the reconciler looks at the app at once. */
  readonly wake: (appId: string) => void;
  readonly productVersion: string;
  /** How many steps of a rollout are under way at a time, from 1. */
  readonly inFlight: number;
  /** What whoever runs the server consented to. */
  readonly allows: {
    /** Components that are privileged, or have capabilities beyond a container's ordinary ones. */
    readonly privileged: boolean;
  };
}

export interface SiteIdentity {
  readonly id: string;
  readonly signer: Signer;
  readonly publicKeyPem: string;
}

/** Who asked for it, as it stands in records. */
export interface Actor {
  readonly userId: string;
  readonly name: string;
}

export function isoNow(parts: Pick<Parts, "nowMs">): string {
  return new Date(parts.nowMs()).toISOString();
}
