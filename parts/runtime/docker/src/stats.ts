import { type InstanceRef, type InstanceStats, runtimeProblem } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import type { EngineStats } from "./engine-types.ts";

interface CpuSample {
  readonly atMs: number;
  readonly usageNs: number;
}

const SAMPLE_AGE_MS_MAX = 120_000;
const SAMPLES_MAX = 1000;

/** Reads what instances use. The processor share is over the time since the last reading; the first one lets the engine measure for a second. */
export class StatsReader {
  readonly #context: DriverContext;
  readonly #samples = new Map<string, CpuSample>();

  constructor(context: DriverContext) {
    this.#context = context;
  }

  async read(ref: InstanceRef, signal: AbortSignal | undefined): Promise<InstanceStats> {
    const container = await this.#context.scope.instance(ref, signal);
    const before = this.#recentSample(ref.id);
    const { status, body } = await this.#context.client.call<EngineStats>({
      method: "GET",
      path: `/containers/${ref.id}/stats`,
      query: { stream: false, "one-shot": before === undefined ? undefined : true },
      what: "measure an instance",
      accept: [404, 409],
      signal,
    });
    if (status >= 400 || !container.State.Running)
      throw runtimeProblem("RUNTIME_ABSENT", `the instance of ${ref.component} does not run`, {
        why: `it is ${container.State.Status}`,
      });
    const now = sampleOf(body.read, body.cpu_stats?.cpu_usage?.total_usage);
    const then = before ?? sampleOf(body.preread ?? "", body.precpu_stats?.cpu_usage?.total_usage);
    if (now !== undefined) this.#keep(ref.id, now);
    return { ...render(body, container.HostConfig.Memory ?? 0), cpu: cpuBetween(then, now) };
  }

  #recentSample(id: string): CpuSample | undefined {
    const sample = this.#samples.get(id);
    const age = Date.now() - (sample?.atMs ?? 0);
    return age < SAMPLE_AGE_MS_MAX && age > 200 ? sample : undefined;
  }

  #keep(id: string, sample: CpuSample): void {
    this.#samples.delete(id);
    this.#samples.set(id, sample);
    const oldest = this.#samples.keys().next().value;
    if (this.#samples.size > SAMPLES_MAX && oldest !== undefined) this.#samples.delete(oldest);
  }
}

/** Cores in use between two samples; 0 when that cannot be known. */
export function cpuBetween(then: CpuSample | undefined, now: CpuSample | undefined): number {
  if (then === undefined || now === undefined || now.atMs <= then.atMs) return 0;
  return Math.max(0, (now.usageNs - then.usageNs) / ((now.atMs - then.atMs) * 1e6));
}

function sampleOf(at: string, usageNs: number | undefined): CpuSample | undefined {
  const atMs = Date.parse(at);
  return Number.isNaN(atMs) || atMs <= 0 || usageNs === undefined ? undefined : { atMs, usageNs };
}

function render(stats: EngineStats, limitBytes: number): Omit<InstanceStats, "cpu"> {
  const networks = Object.values(stats.networks ?? {});
  return {
    at: stats.read,
    memoryBytes: memoryOf(stats),
    ...(limitBytes > 0 ? { memoryLimitBytes: limitBytes } : {}),
    networkReceivedBytes: networks.reduce((sum, one) => sum + one.rx_bytes, 0),
    networkSentBytes: networks.reduce((sum, one) => sum + one.tx_bytes, 0),
    processes: stats.pids_stats?.current ?? 0,
  };
}

/** Without the file cache that the kernel would give up first: `total_inactive_file` of cgroup v1, `inactive_file` of v2. */
function memoryOf({ memory_stats: memory }: EngineStats): number {
  const usage = memory?.usage ?? 0;
  const cache = memory?.stats?.total_inactive_file ?? memory?.stats?.inactive_file ?? 0;
  return cache < usage ? usage - cache : usage;
}
