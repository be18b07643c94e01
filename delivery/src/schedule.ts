import { type Desired, type DesiredComponent, type Plan, planRun, type Step } from "@sampan/plan";
import { Bug, describeError } from "@sampan/problem";
import type { AppSummary } from "@sampan/store";
import { type CronLine, parseCronLine } from "@sampan/template";
import { carryOutByDriver } from "./apply.ts";
import { isDataStep } from "./data-steps.ts";
import { desiredOf } from "./desired-of.ts";
import { allApps } from "./host-ports.ts";
import { isoNow, type Parts } from "./parts.ts";

const MINUTE_MS = 60_000;
/** After a longer sleep, or a clock that was set on, what was due before is not made up for. */
const LOOK_BACK_MAX_MS = 10 * MINUTE_MS;

export interface SchedulerOptions {
  readonly signal: AbortSignal;
  readonly onTrouble: (appId: string, error: unknown) => void;
}

/** Begins the runs of cron components when they are due, in the time zone of the machine. What was due while nobody ran is not made up for. */
export class Scheduler {
  readonly #parts: Parts;
  readonly #options: SchedulerOptions;
  #lookedMs: number;

  constructor(parts: Parts, options: SchedulerOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#lookedMs = parts.nowMs();
  }

  /** Looks at the beginning of every minute, until the signal aborts. */
  async run(): Promise<void> {
    const { signal, onTrouble } = this.#options;
    while (!signal.aborted) {
      const nowMs = this.#parts.nowMs();
      await this.#parts.sleep(MINUTE_MS - (nowMs % MINUTE_MS), signal).catch(() => undefined);
      if (!signal.aborted) await this.look().catch((error) => onTrouble("*", error));
    }
  }

  /** Begins what became due since the last look. */
  async look(): Promise<void> {
    const nowMs = this.#parts.nowMs();
    const sinceMs = Math.max(this.#lookedMs, nowMs - LOOK_BACK_MAX_MS);
    this.#lookedMs = nowMs;
    for await (const app of allApps(this.#parts)) {
      if (app.stopped) continue;
      const desired = await desiredOf(this.#parts, app);
      if (desired === undefined || desired.remove === true) continue;
      for (const component of desired.components)
        if (isDue(component, { sinceMs, nowMs })) await this.#begin(app, desired, component);
    }
  }

  async #begin(app: AppSummary, desired: Desired, component: DesiredComponent): Promise<void> {
    const { signal, onTrouble } = this.#options;
    const note = { what: "component.run", who: "system", teamId: app.teamId, appId: app.id };
    try {
      if (await isDataAtWork(this.#parts, app.id))
        return await this.#tell({ ...note, subject: component.name, outcome: "skipped" }, DATA_AT_WORK);
      const plan = await this.#plan(desired, component);
      const [hindrance] = plan.notes;
      if (plan.steps.length === 0)
        return await this.#tell({ ...note, subject: component.name, outcome: "skipped" }, hindrance?.text);
      for (const step of plan.steps) await begin(this.#parts, step, desired, signal);
      await this.#tell({ ...note, subject: component.name, outcome: "begun" });
    } catch (error) {
      if (signal.aborted) return;
      onTrouble(app.id, error);
      await this.#tell({ ...note, subject: component.name, outcome: "failed" }, describeError(error));
    }
  }

  async #plan(desired: Desired, { name, spec }: DesiredComponent): Promise<Plan> {
    const { driver, newId } = this.#parts;
    const observed = await driver.observe({ id: desired.app.id, images: [spec.image.id] });
    const options = {
      now: isoNow(this.#parts),
      newId: () => newId("pln"),
      component: name,
      why: "it is due",
    };
    return planRun(desired, observed, options);
  }

  async #tell(
    event: Parameters<Parts["store"]["events"]["add"]>[0],
    why: string | undefined = undefined,
  ): Promise<void> {
    await this.#parts.store.events.add(why === undefined ? event : { ...event, details: { why } });
  }
}

const DATA_AT_WORK = "data of the app is captured or put back, or may have to be: nothing else may use it";

/** Whether a rollout that has not ended works with data. Until its end: what fails may go back, with the data. */
async function isDataAtWork(parts: Pick<Parts, "store">, appId: string): Promise<boolean> {
  const open = await parts.store.rollouts.list({ kind: "all" }, { appId, open: true }, { limit: 50 });
  for (const { planId } of open.items)
    if ((await parts.store.plans.get(planId)).steps.some(isDataStep)) return true;
  return false;
}

/** The run itself is not waited for: how it ended is seen by observing, and said by its exit code. */
async function begin(parts: Parts, step: Step, desired: Desired, signal: AbortSignal): Promise<void> {
  if (step.kind === "instance.complete" || isDataStep(step)) return;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(step.timeoutMs)]);
  await carryOutByDriver(parts, step, { desired, signal: limit, onProgress: () => undefined });
}

function isDue(
  { kind, schedule }: DesiredComponent,
  window: { readonly sinceMs: number; readonly nowMs: number },
): boolean {
  if (kind !== "cron" || schedule === undefined) return false;
  const parsed = parseCronLine(schedule);
  if (!("value" in parsed)) throw new Bug(`a schedule that was checked cannot be read: ${schedule}`);
  const first = Math.floor(window.sinceMs / MINUTE_MS) + 1;
  for (let minute = first; minute * MINUTE_MS <= window.nowMs; minute++)
    if (matches(parsed.value, new Date(minute * MINUTE_MS))) return true;
  return false;
}

function matches(line: CronLine, at: Date): boolean {
  const isDayOfMonth = line.daysOfMonth.has(at.getDate());
  const isDayOfWeek = line.daysOfWeek.has(at.getDay());
  return (
    line.minutes.has(at.getMinutes()) &&
    line.hours.has(at.getHours()) &&
    line.months.has(at.getMonth() + 1) &&
    (line.eitherDay ? isDayOfMonth || isDayOfWeek : isDayOfMonth && isDayOfWeek)
  );
}
