import { setTimeout as delay } from "node:timers/promises";
import type { InstanceProbe } from "@sampan/plan";
import { isProblem } from "@sampan/problem";
import type { Asker } from "./asker.ts";
import type { Changes } from "./changes.ts";
import type { EngineClient } from "./engine-client.ts";
import type { EngineScope } from "./engine-scope.ts";
import type { EngineContainer } from "./engine-types.ts";
import { hideSecrets, type InstanceLabels, parseInstanceLabels } from "./labels.ts";
import { LiveRestarts } from "./live-restarts.ts";
import {
  beginRun,
  judge,
  nextLookMs,
  noteFailure,
  type ProbeKind,
  type ProbeResult,
  type ProbeState,
  settleMs,
  takeResult,
  type Verdict,
} from "./probe-state.ts";
import { runProbe } from "./probes.ts";

/** One run of one container: from its start to its end. */
interface Run {
  readonly id: string;
  readonly startedAt: string;
  readonly address: string;
  readonly labels: InstanceLabels;
  readonly container: EngineContainer;
  readonly stop: AbortController;
  readonly seenAtMs: number;
  state: ProbeState;
}

/**
 * Probes the instances that it was told of, each run in a loop of its own, and restarts those whose start or live
 * probe fails. What it knows is lost with the process and found out anew; the probes stand in the labels.
 */
export class Prober {
  readonly #scope: EngineScope;
  readonly #changes: Changes;
  readonly #clock: () => Date;
  readonly #by: { readonly client: EngineClient; readonly asker: Asker };
  readonly #runs = new Map<string, Run>();
  /** Container to the start of the run in which it was ready. */
  readonly #wasReady = new Map<string, string>();
  readonly #liveRestarts: LiveRestarts;
  #mode: "awaited" | "all" = "awaited";
  #closed = false;

  constructor(
    scope: EngineScope,
    changes: Changes,
    options: { readonly asker: Asker; readonly clock: () => Date },
  ) {
    this.#scope = scope;
    this.#changes = changes;
    this.#clock = options.clock;
    this.#by = { client: scope.client, asker: options.asker };
    this.#liveRestarts = new LiveRestarts(scope);
  }

  /** Probes the container's present run from now on, until it ends. Told twice is told once. */
  track(container: EngineContainer): void {
    const labels = parseInstanceLabels(container.Config.Labels, container.Config.Env ?? []);
    if (this.#closed || labels === undefined) return;
    const { StartedAt: startedAt, Running: running } = container.State;
    const known = this.#runs.get(container.Id);
    if (known?.startedAt === startedAt && running) return;
    this.untrack(container.Id);
    const address = addressOf(container);
    if (!running || address === undefined) return;
    const run: Run = {
      id: container.Id,
      startedAt,
      address,
      labels,
      container,
      stop: new AbortController(),
      seenAtMs: performance.now(),
      state: beginRun(labels.probes),
    };
    this.#runs.set(container.Id, run);
    void this.#follow(run).catch((error: unknown) => {
      // The run ended, or the engine went away; either way the next look at the container begins anew.
      if (this.#runs.get(run.id) === run) this.#runs.delete(run.id);
      if (!run.stop.signal.aborted && !isProblem(error)) process.emitWarning(error as Error);
    });
  }

  /** From now on what is tracked stays so until its run ends; before, only while it is awaited. */
  keepAll(): void {
    this.#mode = "all";
  }

  /** Nobody awaits the container any more. */
  release(id: string): void {
    if (this.#mode === "awaited") this.untrack(id);
  }

  untrack(id: string): void {
    this.#runs.get(id)?.stop.abort();
    this.#runs.delete(id);
  }

  /** Forgets a container that is gone for good. */
  forget(id: string): void {
    this.untrack(id);
    this.#wasReady.delete(id);
    this.#liveRestarts.forget(id);
  }

  tracked(): readonly string[] {
    return [...this.#runs.keys()];
  }

  /** Restarts by the engine and by the live probe together. */
  restarts(container: EngineContainer): number {
    return container.RestartCount + this.#liveRestarts.count(container.Id);
  }

  /** What the probes say of a running container; each is asked once when none has answered for this run yet. */
  async verdict(container: EngineContainer, labels: InstanceLabels, signal?: AbortSignal): Promise<Verdict> {
    const known = this.#runs.get(container.Id);
    const current = known?.startedAt === container.State.StartedAt ? known : undefined;
    let state = current?.state ?? beginRun(labels.probes);
    if (Object.keys(state.last).length === 0)
      state = await this.#probeOnce(container, { labels, state }, signal);
    const ageMs = Math.max(
      this.#clock().getTime() - Date.parse(container.State.StartedAt),
      current === undefined ? 0 : performance.now() - current.seenAtMs,
    );
    const verdict = judge(labels.probes, state, {
      settled: ageMs >= settleMs(this.restarts(container)) ? "yes" : "no",
      wasReady: this.#wasReady.get(container.Id) === container.State.StartedAt ? "yes" : "no",
    });
    if (verdict.state === "ready") this.#wasReady.set(container.Id, container.State.StartedAt);
    if (verdict.message === undefined) return verdict;
    return { ...verdict, message: hideSecrets(verdict.message, container.Config) };
  }

  close(): void {
    this.#closed = true;
    for (const id of this.tracked()) this.untrack(id);
  }

  async #probeOnce(
    container: EngineContainer,
    run: { readonly labels: InstanceLabels; readonly state: ProbeState },
    signal: AbortSignal = new AbortController().signal,
  ): Promise<ProbeState> {
    const address = addressOf(container);
    if (address === undefined) return run.state;
    let { state } = run;
    for (const kind of ["start", "ready"] as const) {
      const spec = run.labels.probes[kind];
      if (spec === undefined || (kind === "ready" && !state.started)) continue;
      const result = await runProbe(this.#by, { id: container.Id, address }, spec, signal);
      const once = { ...spec, successes: 1, failures: 1 };
      state = takeResult(state, { kind, spec: once }, result).state;
    }
    return state;
  }

  async #follow(run: Run): Promise<void> {
    const { start, live, ready } = run.labels.probes;
    if (start !== undefined) await this.#repeat(run, { kind: "start", spec: start });
    await Promise.all([
      live === undefined ? undefined : this.#repeat(run, { kind: "live", spec: live }),
      ready === undefined ? undefined : this.#repeat(run, { kind: "ready", spec: ready }),
    ]);
  }

  /** Until the run ends; a start probe until it has passed. */
  async #repeat(run: Run, probe: { readonly kind: ProbeKind; readonly spec: InstanceProbe }): Promise<void> {
    const { signal } = run.stop;
    const ageMs = this.#clock().getTime() - Date.parse(run.startedAt);
    const firstMs = Math.min(Math.max(probe.spec.delayMs - ageMs, 0), probe.spec.delayMs);
    await delay(firstMs, undefined, { signal });
    let countedAtMs = Number.NEGATIVE_INFINITY;
    for (let count = 0; !signal.aborted; count++) {
      const phase = this.#isStarting(run, probe.kind) ? "starting" : "settled";
      const result = await this.#ask(run, probe.spec);
      signal.throwIfAborted();
      const early = performance.now() - countedAtMs < probe.spec.periodMs;
      if (result?.outcome === "fail" && phase === "starting" && early)
        run.state = noteFailure(run.state, probe.kind, result);
      else if (result !== undefined) {
        countedAtMs = performance.now();
        if ((await this.#take(run, probe, result)) === "restarted") return;
      }
      if (probe.kind === "start" && run.state.started) return;
      await delay(nextLookMs(probe.spec, { count, phase }), undefined, { signal });
    }
  }

  #isStarting(run: Run, kind: ProbeKind): boolean {
    if (kind === "ready") return this.#wasReady.get(run.id) !== run.startedAt;
    return kind === "start" && !run.state.started;
  }

  /** Undefined while the engine is away. */
  async #ask(run: Run, spec: InstanceProbe): Promise<ProbeResult | undefined> {
    try {
      return await runProbe(this.#by, run, spec, run.stop.signal);
    } catch (error) {
      if (isProblem(error, "RUNTIME_UNREACHABLE")) return undefined;
      throw error;
    }
  }

  async #take(
    run: Run,
    probe: { readonly kind: ProbeKind; readonly spec: InstanceProbe },
    result: ProbeResult,
  ): Promise<"restarted" | "goes on"> {
    const before = run.state;
    const taken = takeResult(before, probe, result);
    run.state = taken.state;
    if (run.state.ready === true) this.#wasReady.set(run.id, run.startedAt);
    if (before.ready !== run.state.ready || before.started !== run.state.started)
      this.#tell(run, `${probe.kind} probe: ${result.outcome}`);
    if (!taken.restart) return "goes on";
    await this.#restart(run, probe.kind);
    return "restarted";
  }

  async #restart(run: Run, kind: ProbeKind): Promise<void> {
    await this.#liveRestarts.wait(run.id, run.stop.signal);
    this.#tell(run, `${kind} probe failed: it is restarted`);
    await this.#liveRestarts.restart(run.container, run.stop.signal);
    // The engine tells of the new run; where nobody listens to it, this looks.
    const container = await this.#scope.inspect(run.id);
    if (container !== undefined) this.track(container);
  }

  #tell(run: Run, what: string): void {
    const { app, component } = run.labels;
    this.#changes.emit({ id: run.id, app: app.id, component, what });
  }
}

/** The container's address in its app's network; undefined while it is taken out of it. */
export function addressOf(container: EngineContainer): string | undefined {
  for (const endpoint of Object.values(container.NetworkSettings.Networks ?? {}))
    if (endpoint.IPAddress !== undefined && endpoint.IPAddress !== "") return endpoint.IPAddress;
  return undefined;
}
