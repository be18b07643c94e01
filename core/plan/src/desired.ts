import type { Digest } from "@sampan/content";

/** What should run: everything resolved, nothing left to choose. Made by `resolve`; it holds secrets, so it is never logged or shown. */
export interface Desired {
  readonly app: AppRef;
  /** Grows by one with each change of what should run. A driver refuses work of an older one. */
  readonly generation: number;
  /** Sorted by name. */
  readonly components: readonly DesiredComponent[];
  /** The app goes: every instance, then its network. `components` then gives only the order of going. Volumes stay. */
  readonly remove?: true;
  /** What a change of desired touched, by component, in words for the plan's reasons: "image", "env PORT". See `changeHints`. */
  readonly changes?: Readonly<Record<string, readonly string[]>>;
}

export interface AppRef {
  readonly id: string;
  /** Unique at a site: team and app name, as `team-app`. Used in names that the engine shows. */
  readonly slug: string;
}

export type ComponentKind = "stateless" | "stateful" | "job" | "cron";

export interface DesiredComponent {
  /** Unique in the app, and its DNS name. */
  readonly name: string;
  readonly id: string;
  readonly kind: ComponentKind;
  /** Names of components that must be ready before it starts. */
  readonly needs: readonly string[];
  /** 0 when it is stopped, or a cron component. */
  readonly replicas: number;
  /** How long one instance may take to become ready (for a job: to complete). */
  readonly startWithinMs: number;
  /** Digest of the canonical `spec`: instances that carry another one are outdated. */
  readonly specDigest: Digest;
  readonly spec: InstanceSpec;
  /** Its own persistent volumes that a data snapshot captures, and how; absent when it has none. No part of `specDigest`. */
  readonly data?: ComponentData;
  /** Five-field cron line, for kind cron. */
  readonly schedule?: string;
}

/** How the data of a component is captured and put back. */
export interface ComponentData {
  /** Sorted. */
  readonly volumes: readonly string[];
  /** Brings its data to rest, or writes a dump, in an instance that runs; without it, the component is stopped for the capture. */
  readonly before?: readonly string[];
  /** Undoes `before`; run also when the capture failed. */
  readonly after?: readonly string[];
  /** Run in an instance that is ready, after its volumes were put back. */
  readonly restored?: readonly string[];
  /** How long the capture or the putting back of it may take. */
  readonly withinMs: number;
}

/** All that an instance is created from. A change of anything here replaces the instance. */
export interface InstanceSpec {
  readonly image: { readonly id: Digest; readonly name: string };
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Keys of `env` whose values are masked wherever they are shown. */
  readonly secretEnv: readonly string[];
  readonly files: readonly { readonly path: string; readonly content: string; readonly mode: number }[];
  readonly mounts: readonly Mount[];
  readonly ports: readonly InstancePort[];
  readonly probes: {
    readonly start?: InstanceProbe;
    readonly live?: InstanceProbe;
    readonly ready?: InstanceProbe;
  };
  readonly limits: { readonly cpu?: number; readonly memoryBytes?: number; readonly processes?: number };
  readonly requests: { readonly cpu?: number; readonly memoryBytes?: number };
  readonly restart: "always" | "on-failure" | "never";
  readonly labels: Readonly<Record<string, string>>;
  readonly stopGraceMs: number;
  readonly security: {
    readonly user?: string;
    readonly addCapabilities: readonly string[];
    readonly dropCapabilities: readonly string[];
    readonly readOnlyRoot: boolean;
    readonly privileged: boolean;
  };
}

/** `volume` is the component's own volume, or that of another component (kind shared). Volumes outlive instances, and are never removed by a plan. */
export type Mount =
  | {
      readonly kind: "volume";
      readonly owner: string;
      readonly volume: string;
      readonly path: string;
      readonly readOnly: boolean;
    }
  | { readonly kind: "memory"; readonly path: string; readonly sizeBytes?: number };

export interface InstancePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: "http" | "tcp" | "udp";
  /** Port of the site's machine; 0 lets the engine choose a free one; absent when the port is not exposed. */
  readonly hostPort?: number;
}

export interface InstanceProbe {
  readonly check:
    | {
        readonly kind: "http";
        readonly port: number;
        readonly path: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly status?: number;
      }
    | { readonly kind: "tcp"; readonly port: number }
    | { readonly kind: "exec"; readonly command: readonly string[] };
  readonly delayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly failures: number;
  readonly successes: number;
}
