import type { Digest } from "@sampan/content";
import type { AppRef } from "./desired.ts";

/** Immutable ordered steps from what was observed to what is desired. It leaves no choice to whoever carries it out. */
export interface Plan {
  readonly id: string;
  readonly app: AppRef;
  readonly generation: number;
  /** ISO time, passed in. */
  readonly createdAt: string;
  /** In an order in which they can be done one by one: a step comes after all that it needs. Empty: nothing to do. */
  readonly steps: readonly Step[];
  /** What was noticed and is left as it is, with the reason. */
  readonly notes: readonly { readonly component?: string; readonly text: string }[];
}

export type Step = StepBase & StepAction;

export interface StepBase {
  /** `s1`, `s2`, … in order. */
  readonly id: string;
  /** Ids of steps that must have succeeded. */
  readonly needs: readonly string[];
  /** Why it is done, as a sentence's end: "replace api: image changed". */
  readonly why: string;
  readonly timeoutMs: number;
}

export type StepAction =
  | { readonly kind: "network.ensure" }
  | { readonly kind: "volume.ensure"; readonly component: string; readonly volume: string }
  | { readonly kind: "image.ensure"; readonly imageId: Digest; readonly imageName: string }
  /** Makes and starts an instance of the desired component. It does not yet serve when `serve` is "later". */
  | {
      readonly kind: "instance.create";
      readonly component: string;
      readonly index: number;
      readonly specDigest: Digest;
      readonly serve: "now" | "later";
    }
  /** Waits until the instance is ready; fails early when it has given up. */
  | {
      readonly kind: "instance.ready";
      readonly component: string;
      readonly index: number;
      readonly specDigest: Digest;
    }
  /** Waits until a job has ended with exit code 0. */
  | {
      readonly kind: "instance.complete";
      readonly component: string;
      readonly index: number;
      readonly specDigest: Digest;
    }
  /** Takes over: from now on the instance answers to the component's name. */
  | {
      readonly kind: "instance.serve";
      readonly component: string;
      readonly index: number;
      readonly specDigest: Digest;
    }
  /** Stops with grace, then removes exactly this instance. Its volumes stay. */
  | {
      readonly kind: "instance.remove";
      readonly component: string;
      readonly index: number;
      readonly instanceId: string;
      readonly graceMs: number;
    }
  | { readonly kind: "network.remove" }
  /** Captures volumes of a component into a data snapshot: while it runs, between its commands `before` and `after` (`live`), or while nothing of it runs. */
  | {
      readonly kind: "data.capture";
      readonly component: string;
      readonly volumes: readonly string[];
      readonly snapshotId: string;
      readonly live: boolean;
      /** Of the instance that runs the commands: there exactly when `live`. */
      readonly index?: number;
    }
  /** Makes volumes of a component hold exactly what a data snapshot holds. Nothing that mounts them runs. */
  | {
      readonly kind: "data.restore";
      readonly component: string;
      readonly volumes: readonly string[];
      readonly snapshotId: string;
    }
  /** Runs the component's command `restored` in an instance that is ready: it takes up what was put back, such as a dump. */
  | { readonly kind: "data.resume"; readonly component: string; readonly index: number };

export type StepKind = StepAction["kind"];
/** What drivers do. The data steps are between a driver and the hold: delivery carries them out. */
export type DriverStepKind = Exclude<StepKind, `data.${string}`>;
export type StepOf<K extends StepKind> = StepBase & Extract<StepAction, { readonly kind: K }>;
