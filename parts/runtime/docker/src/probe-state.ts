import type { InstanceProbe, InstanceSpec } from "@sampan/plan";

export type Probes = InstanceSpec["probes"];
export type ProbeKind = keyof Probes;

export interface ProbeResult {
  readonly outcome: "pass" | "fail";
  /** What came back, for people. */
  readonly message: string;
}

/** What the probes of one run of a container have shown. A restart begins anew. */
export interface ProbeState {
  readonly started: boolean;
  /** Undefined until the ready probe has decided once. */
  readonly ready: boolean | undefined;
  readonly streaks: { readonly [K in ProbeKind]?: Streak };
  readonly last: { readonly [K in ProbeKind]?: ProbeResult };
}

interface Streak {
  readonly outcome: ProbeResult["outcome"];
  readonly length: number;
}

export function beginRun(probes: Probes): ProbeState {
  return { started: probes.start === undefined, ready: undefined, streaks: {}, last: {} };
}

/**
 * Takes one result in. A start or live probe that failed `failures` times in a row asks for a restart; a ready probe
 * changes readiness after `successes` or `failures` in a row.
 */
export function takeResult(
  state: ProbeState,
  probe: { readonly kind: ProbeKind; readonly spec: InstanceProbe },
  result: ProbeResult,
): { readonly state: ProbeState; readonly restart: boolean } {
  const { kind, spec } = probe;
  const before = state.streaks[kind];
  const length = before?.outcome === result.outcome ? before.length + 1 : 1;
  const decided = length >= (result.outcome === "pass" ? spec.successes : spec.failures);
  const next: ProbeState = {
    ...state,
    streaks: { ...state.streaks, [kind]: { outcome: result.outcome, length } },
    last: { ...state.last, [kind]: result },
  };
  if (!decided) return { state: next, restart: false };
  const passed = result.outcome === "pass";
  switch (kind) {
    case "start":
      return { state: { ...next, started: next.started || passed }, restart: !passed };
    case "live":
      return { state: next, restart: !passed };
    case "ready":
      return { state: { ...next, ready: passed }, restart: false };
  }
}

/** Takes in a failure that came sooner than a period after the last one: it is told, and does not count. */
export function noteFailure(state: ProbeState, kind: ProbeKind, result: ProbeResult): ProbeState {
  const before = state.streaks[kind];
  const streak: Streak = before?.outcome === "fail" ? before : { outcome: "fail", length: 0 };
  return {
    ...state,
    streaks: { ...state.streaks, [kind]: streak },
    last: { ...state.last, [kind]: result },
  };
}

/** How long to wait for the next look. What is still starting is looked at more often than its period says, first every 100 ms, so that nobody waits for a period's end. */
export function nextLookMs(
  probe: InstanceProbe,
  look: { readonly count: number; readonly phase: "starting" | "settled" },
): number {
  if (look.phase === "settled") return probe.periodMs;
  return Math.min(probe.periodMs, 100 * 1.5 ** Math.min(look.count, 40));
}

export interface Verdict {
  readonly state: "starting" | "ready" | "unready";
  readonly message?: string;
}

/** A run that lasted this long without a ready probe counts as ready; longer after each restart, as the engine's own back-off does. */
export function settleMs(restarts: number): number {
  return Math.min(1000 * 2 ** Math.min(restarts, 10), 10_000);
}

/** What the probes say of a running container. `settled`: it has run for its settle time. */
export function judge(
  probes: Probes,
  state: ProbeState,
  run: { readonly settled: "yes" | "no"; readonly wasReady: "yes" | "no" },
): Verdict {
  if (!state.started) return { state: "starting", message: waiting("start", state.last.start) };
  if (probes.ready === undefined)
    return probes.start !== undefined || run.settled === "yes"
      ? { state: "ready" }
      : { state: "starting", message: "it has just started" };
  // Ready once is ready until the probe has decided otherwise: its first answer may have come from a look of its own.
  if (state.ready === true || (state.ready === undefined && run.wasReady === "yes"))
    return { state: "ready" };
  const message = waiting("ready", state.last.ready);
  return { state: state.ready === false && run.wasReady === "yes" ? "unready" : "starting", message };
}

function waiting(kind: ProbeKind, last: ProbeResult | undefined): string {
  if (last === undefined) return `its ${kind} probe has not answered yet`;
  return last.outcome === "pass"
    ? `its ${kind} probe passes, but not often enough yet`
    : `its ${kind} probe fails: ${last.message}`;
}
