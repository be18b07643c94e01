import type { Digest } from "@sampan/content";

/** What a driver saw of one app. It may be stale, and says when it is not complete. */
export interface Observed {
  /** ISO time of the look. */
  readonly at: string;
  /** False when something could not be seen; then nothing is removed on its account. */
  readonly complete: boolean;
  readonly remarks: readonly string[];
  /** The newest generation that anything of the app carries. */
  readonly generation: number;
  readonly network: boolean;
  readonly volumes: readonly { readonly owner: string; readonly volume: string }[];
  /** Of the images that were asked for, those that the engine has. */
  readonly images: readonly Digest[];
  readonly instances: readonly ObservedInstance[];
}

export type InstanceState =
  /** Made, or running and not yet ready. */
  | "starting"
  /** Running, and its ready probe passes (or it has none). */
  | "ready"
  /** Was ready; its ready probe fails now. */
  | "unready"
  /** Stopped with a failure, between restarts or given up. */
  | "failing"
  /** Ended with exit code 0: a job that is complete. */
  | "completed"
  /** Stopped by a stop that was asked for. */
  | "stopped";

export interface ObservedInstance {
  /** The engine's own id. */
  readonly id: string;
  readonly component: string;
  /** From 1. At most one instance of a component and index serves. */
  readonly index: number;
  readonly generation: number;
  readonly specDigest: Digest;
  readonly imageId: Digest;
  readonly state: InstanceState;
  /** Reachable under the component's name. */
  readonly serving: boolean;
  readonly restarts: number;
  readonly exitCode?: number;
  readonly startedAt?: string;
  /** Why it is not ready, in words. */
  readonly message?: string;
  readonly hostPorts: readonly { readonly name: string; readonly hostPort: number }[];
}
