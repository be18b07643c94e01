/** What is known of the machine and the engine that an app shall run on. An empty text, 0 and undefined mean: not known. */
export interface PreflightFacts {
  /** "docker". */
  readonly engine: string;
  readonly engineVersion: string;
  /** As in 1.41. */
  readonly apiVersion: string;
  readonly os: string;
  /** As in images: amd64, arm64. */
  readonly architecture: string;
  /** As the machine says it: 5.10.0-21-amd64. */
  readonly kernel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** What is free now, and what the app's own instances use now. */
  readonly memoryAvailableBytes?: number | undefined;
  /** Free where the engine keeps images and volumes. */
  readonly diskFreeBytes?: number | undefined;
  /** Free where the site keeps its own content, data snapshots among it. */
  readonly holdFreeBytes?: number | undefined;
  /** Whether limits of cpu and memory are really enforced. */
  readonly limits: boolean;
  /** Whether the site lets containers have rights beyond the ordinary ones. */
  readonly privilegesAllowed?: boolean | undefined;
  /** Ports of the machine on which something listens. */
  readonly takenPorts?: readonly TakenPortFact[] | undefined;
  /** What the other apps of the site ask for, in cores. */
  readonly reservedCpus?: number | undefined;
  readonly reservedMemoryBytes?: number | undefined;
}

export interface TakenPortFact {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** Whose it is, in words. */
  readonly by?: string | undefined;
  /** Id of the app of this site that holds it. */
  readonly app?: string | undefined;
}
