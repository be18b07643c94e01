/** The parts of the Engine API's objects that the driver reads (Docker Engine API 1.41, swagger definitions). */

export interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion?: string;
  readonly Platform?: { readonly Name?: string };
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[] | null;
}

export interface EngineInfo {
  /** The machine's name. */
  readonly Name: string;
  readonly Driver: string;
  readonly DriverStatus?: readonly (readonly [string, string])[] | null;
  readonly DockerRootDir: string;
  readonly Architecture: string;
  readonly OSType: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly KernelVersion: string;
  readonly MemoryLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly PidsLimit?: boolean;
  readonly InitBinary?: string;
  readonly SecurityOptions?: readonly string[] | null;
}

export type EngineLabels = Readonly<Record<string, string>>;

export interface EngineContainerSummary {
  readonly Id: string;
  readonly Names?: readonly string[] | null;
  readonly Labels?: EngineLabels | null;
  readonly State: string;
  readonly Ports?:
    | readonly { readonly PublicPort?: number; readonly PrivatePort: number; readonly Type: string }[]
    | null;
}

export interface EngineEndpoint {
  readonly Aliases?: readonly string[] | null;
  readonly IPAddress?: string;
  readonly NetworkID?: string;
  readonly IPAMConfig?: { readonly IPv4Address?: string } | null;
}

export interface EngineContainer {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Restarting: boolean;
    readonly OOMKilled?: boolean;
    readonly ExitCode: number;
    readonly Pid?: number;
    readonly Error?: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly Config: {
    readonly Labels?: EngineLabels | null;
    readonly Env?: readonly string[] | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly User?: string;
    readonly Tty?: boolean;
  };
  readonly HostConfig: {
    readonly RestartPolicy?: { readonly Name?: string } | null;
    readonly Memory?: number;
  };
  readonly NetworkSettings: {
    readonly Networks?: Readonly<Record<string, EngineEndpoint>> | null;
    /** By `port/protocol`. */
    readonly Ports?: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>> | null;
  };
}

export interface EngineNetwork {
  readonly Id: string;
  readonly Name: string;
  readonly Labels?: EngineLabels | null;
  readonly IPAM?: {
    readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null;
  };
}

export interface EngineVolume {
  readonly Name: string;
  readonly Mountpoint: string;
  readonly Labels?: EngineLabels | null;
}

export interface EngineImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Os: string;
  readonly Architecture: string;
  readonly Size: number;
  readonly Config?: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
  } | null;
}

export interface EngineExec {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid?: number;
}

export interface EngineStats {
  readonly read: string;
  readonly cpu_stats?: EngineCpuStats;
  readonly precpu_stats?: EngineCpuStats;
  readonly preread?: string;
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly networks?: Readonly<
    Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>
  > | null;
  readonly pids_stats?: { readonly current?: number };
}

export interface EngineCpuStats {
  readonly cpu_usage?: { readonly total_usage?: number };
}

export interface EngineEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly id?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: EngineLabels };
  readonly timeNano?: number;
}
