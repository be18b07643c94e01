import type { InstanceProbe, InstanceSpec } from "@sampan/plan";

/** The outcome of one check, in words when it fails. */
export type CheckResult = { readonly passes: true } | { readonly passes: false; readonly message: string };

export type ProbeEvent = "became ready" | "became unready" | "asks for a restart";

interface Track {
  readonly kind: "start" | "live" | "ready";
  readonly probe: InstanceProbe;
  nextAt: number;
  passes: boolean | undefined;
  streak: number;
}

/** How long a process without a ready and start probe must run to count as ready. */
const SETTLE_MS = 1000;

/**
 * The probes of one run of a process, looked at as events in time. Between events nothing can change, so nothing is done:
 * `nextAt` is undefined once every probe has decided, until `stir`.
 */
export class MemoryProbes {
  readonly #tracks: Track[];
  readonly #beganAt: number;
  #started: boolean;
  #ready: boolean;
  #wasReady = false;
  #message: string | undefined;

  constructor(probes: InstanceSpec["probes"], beganAt: number) {
    this.#beganAt = beganAt;
    this.#started = probes.start === undefined;
    this.#ready = false;
    this.#tracks = (["start", "live", "ready"] as const).flatMap((kind) => {
      const probe = probes[kind];
      if (probe === undefined) return [];
      return [{ kind, probe, nextAt: beganAt + probe.delayMs, passes: undefined, streak: 0 }];
    });
  }

  get state(): "starting" | "ready" | "unready" {
    if (this.#ready) return "ready";
    return this.#wasReady ? "unready" : "starting";
  }

  get message(): string | undefined {
    if (this.#ready) return undefined;
    return this.#message ?? (this.#started ? "it has not answered yet" : "it has not started yet");
  }

  nextAt(): number | undefined {
    const times = this.#tracks
      .filter((track) => this.#isActive(track) && !isSteady(track))
      .map((one) => one.nextAt);
    if (!this.#ready && this.#settlesByItself()) times.push(this.#beganAt + this.#settleMs());
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Something changed that a check may see: look again at the next period. */
  stir(now: number): void {
    for (const track of this.#tracks) {
      if (!isSteady(track)) continue;
      track.nextAt = Math.max(track.nextAt, now);
      track.streak = 0;
    }
  }

  /** Does what is due at `now`. */
  advance(now: number, check: (probe: InstanceProbe) => CheckResult): readonly ProbeEvent[] {
    const events: ProbeEvent[] = [];
    for (const track of this.#tracks) {
      if (!this.#isActive(track) || isSteady(track) || track.nextAt > now) continue;
      const result = check(track.probe);
      track.streak = track.passes === result.passes ? track.streak + 1 : 1;
      track.passes = result.passes;
      track.nextAt += track.probe.periodMs;
      if (!result.passes && track.kind !== "live")
        this.#message = `its ${track.kind} probe fails: ${result.message}`;
      if (isSteady(track)) events.push(...this.#decide(track));
    }
    if (!this.#ready && this.#settlesByItself() && now >= this.#beganAt + this.#settleMs())
      events.push(...this.#setReady(true));
    return events;
  }

  #decide(track: Track): readonly ProbeEvent[] {
    if (track.kind === "ready") return this.#setReady(track.passes === true);
    if (track.passes !== true) return ["asks for a restart"];
    if (track.kind === "start") this.#started = true;
    return [];
  }

  #setReady(ready: boolean): readonly ProbeEvent[] {
    if (this.#ready === ready) return [];
    this.#ready = ready;
    this.#wasReady ||= ready;
    return [ready ? "became ready" : "became unready"];
  }

  /** Without a ready probe it is ready once it has started, or where nothing tells that, has run for a while. */
  #settlesByItself(): boolean {
    return this.#started && !this.#tracks.some((track) => track.kind === "ready");
  }

  #settleMs(): number {
    return this.#tracks.some((track) => track.kind === "start") ? 0 : SETTLE_MS;
  }

  #isActive(track: Track): boolean {
    return track.kind === "start" ? !this.#started : this.#started;
  }
}

/** Whether it has decided, and would decide the same again as long as nothing changes. */
function isSteady(track: Track): boolean {
  if (track.passes === undefined) return false;
  return track.streak >= (track.passes ? track.probe.successes : track.probe.failures);
}
