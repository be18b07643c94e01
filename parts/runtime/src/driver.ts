import type { Bytes, Digest, OnProgress } from "@sampan/content";
import type { AppRef, Desired, DriverStepKind, Observed, StepOf } from "@sampan/plan";
import type { RunningApp } from "./running-app.ts";

/** A container runtime. One verb per step kind; all are idempotent: done twice is done once. */
export interface Driver {
  readonly kind: "docker" | "memory" | "kubernetes";
  /** What the machine and engine are and can. Throws RUNTIME_UNREACHABLE. */
  capabilities(signal?: AbortSignal): Promise<Capabilities>;
  /** What runs of one app, and which of `images` the engine has. Throws RUNTIME_UNREACHABLE. */
  observe(
    app: { readonly id: string; readonly images: readonly Digest[] },
    signal?: AbortSignal,
  ): Promise<Observed>;
  /** Ids of all apps of which the engine holds anything: how a lost database is found out and rebuilt. */
  listApps(signal?: AbortSignal): Promise<readonly FoundApp[]>;
  /**
   * What an app should be, read back from what the engine holds: specification digests are those that were written on it, so that
   * planning what was read gives no steps. Undefined when the engine holds nothing of the app. Throws RUNTIME_UNREADABLE when
   * something of it cannot be read, RUNTIME_UNREACHABLE.
   */
  readApp(id: string, signal?: AbortSignal): Promise<RunningApp | undefined>;
  readonly steps: {
    readonly [K in DriverStepKind]: (step: StepOf<K>, context: StepContext) => Promise<void>;
  };

  /** The image that a name or image ID stands for in the engine itself; nothing is pulled. */
  findImage(reference: string, signal?: AbortSignal): Promise<FoundImage | undefined>;
  /** The engine's own export of images (a `docker save` tar), as a stream. */
  saveImages(imageIds: readonly Digest[], signal?: AbortSignal): Bytes;

  /**
   * All that is in a volume of an app, as a tar: paths relative to its root, sorted, with owners, modes, times (whole seconds) and links;
   * sockets are left out. Instances may mount it meanwhile. Read twice with nothing changed, it gives the same bytes. Throws RUNTIME_ABSENT
   * when there is no such volume, RUNTIME_REFUSED after the last byte when not all of it came, as when a file shrank meanwhile.
   */
  readVolume(volume: VolumeRef, signal?: AbortSignal): Bytes;
  /**
   * Makes a volume hold exactly what a tar holds; makes it when it is absent. What was in it is gone only once all of the new is
   * there: broken off anywhere, the volume is as it was. What breaks `tar` is thrown as it is. Throws RUNTIME_REFUSED while an instance
   * mounts it, even one that is stopped, and when `tar` is not whole.
   */
  writeVolume(volume: VolumeRef, tar: Bytes, signal?: AbortSignal): Promise<void>;
  /** Removes a volume and all that is in it; nothing happens when it is absent. Throws RUNTIME_REFUSED while an instance mounts it. */
  removeVolume(volume: VolumeRef, signal?: AbortSignal): Promise<void>;
  /** Ports of the machine on which something listens, whoever it is; undefined when not all of them can be known, as on another machine. */
  takenPorts(signal?: AbortSignal): Promise<readonly TakenPort[] | undefined>;

  /** Ends when the instance's log ends, or the signal aborts. */
  logs(instance: InstanceRef, options: LogOptions): AsyncIterable<LogLine>;
  /** Runs a command to its end. Output past `outputBytesMax` is cut. */
  exec(instance: InstanceRef, command: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** Opens an interactive command (a terminal). */
  attach(
    instance: InstanceRef,
    command: readonly string[],
    options: { readonly columns: number; readonly rows: number },
  ): Promise<Terminal>;
  restart(instance: InstanceRef, signal?: AbortSignal): Promise<void>;
  stats(instance: InstanceRef, signal?: AbortSignal): Promise<InstanceStats>;
  /** One request to a port of an instance from inside the app's network, for acceptance checks. */
  request(instance: InstanceRef, request: InstanceRequest, signal?: AbortSignal): Promise<InstanceReply>;
  /** Yields whenever something of an app changed, until the signal aborts. Missed events are made up for by observe. */
  watch(
    signal: AbortSignal,
  ): AsyncIterable<{ readonly app: string; readonly component?: string; readonly what: string }>;
  close(): Promise<void>;
}

export interface VolumeRef {
  readonly app: AppRef;
  /** The component that owns it. */
  readonly component: string;
  readonly volume: string;
  /** An image that the engine has: where the engine reads and writes volumes only through a container, one is made of it and never started. */
  readonly imageId: Digest;
}

export interface TakenPort {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** Whose it is, in words, where that is known: "component web of app shop", "container web-1", "program nginx". */
  readonly by?: string;
  /** The app of this site that holds it. */
  readonly app?: string;
}

export interface StepContext {
  readonly desired: Desired;
  /** Aborts on cancel and on the step's time limit. */
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

export interface Capabilities {
  readonly engine: string;
  readonly engineVersion: string;
  readonly apiVersion: string;
  readonly os: string;
  /** As in images: amd64, arm64. */
  readonly architecture: string;
  readonly kernel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskFreeBytes?: number;
  readonly storage: string;
  /** What differs between drivers, as flags with a meaning, never as type tests. */
  readonly rollingReplace: boolean;
  readonly terminal: boolean;
  /** Whether limits are really enforced (cgroups there). */
  readonly limits: boolean;
}

export interface FoundApp {
  readonly id: string;
  readonly slug: string;
  readonly generation: number;
  readonly components: readonly string[];
}

export interface FoundImage {
  readonly id: Digest;
  readonly names: readonly string[];
  readonly os: string;
  readonly architecture: string;
  readonly sizeBytes: number;
}

export interface InstanceRef {
  readonly app: string;
  readonly component: string;
  /** The engine's id, from an observation. */
  readonly id: string;
}

export interface LogOptions {
  readonly follow: boolean;
  /** Lines from the end; all when absent. */
  readonly tail?: number;
  /** ISO time. */
  readonly since?: string;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  readonly at: string;
  readonly stream: "stdout" | "stderr";
  /** At most 16 KiB, without its line end. */
  readonly text: string;
}

export interface ExecOptions {
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

export interface Terminal {
  readonly output: Bytes;
  write(data: Uint8Array): Promise<void>;
  resize(size: { readonly columns: number; readonly rows: number }): Promise<void>;
  readonly exitCode: Promise<number>;
  close(): Promise<void>;
}

export interface InstanceStats {
  readonly at: string;
  /** Cores in use. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes?: number;
  readonly networkReceivedBytes: number;
  readonly networkSentBytes: number;
  readonly processes: number;
}

export type InstanceRequest =
  | {
      readonly kind: "http";
      readonly port: number;
      readonly path: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly timeoutMs: number;
    }
  | { readonly kind: "tcp"; readonly port: number; readonly timeoutMs: number };

/** For tcp: status 0 and an empty body mean that it connected. Body is cut at 64 KiB. */
export interface InstanceReply {
  readonly status: number;
  readonly body: string;
}

/** Where the driver gets images that the engine lacks: the reference to pull, of Sampan's own registry. */
export interface ImageSource {
  pullReference(
    imageId: Digest,
  ): Promise<
    { readonly reference: string; readonly username?: string; readonly password?: string } | undefined
  >;
}
