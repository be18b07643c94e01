import type {
  importBundle,
  openBundle,
  Signer,
  verifyBundle,
  verifySignatures,
  writeBundle,
} from "@sampan/bundle";
import type { Digest } from "@sampan/content";
import type { Hold } from "@sampan/hold";
import type { Driver } from "@sampan/runtime";
import type { Store } from "@sampan/store";

/** Everything outside that the verbs work with. The server gives the real ones, tests give memory ones. */
export interface Parts {
  readonly store: Store;
  readonly hold: Hold;
  readonly driver: Driver;
  readonly bundles: {
    readonly writeBundle: typeof writeBundle;
    readonly openBundle: typeof openBundle;
    readonly importBundle: typeof importBundle;
    readonly verifySignatures: typeof verifySignatures;
    readonly verifyBundle: typeof verifyBundle;
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
