import { setTimeout as delay } from "node:timers/promises";
import type { StepOf } from "@sampan/plan";
import { runtimeProblem, type StepContext } from "@sampan/runtime";
import { containersForStep, instanceTitle } from "./app-containers.ts";
import type { DriverContext } from "./driver-context.ts";
import { sweepFiles } from "./instance-files.ts";
import { LABEL } from "./labels.ts";

/** Time that the engine may take beyond the grace it gives. */
const ENGINE_SLACK_MS = 60_000;
/**
 * How long clients still come by the address that they remember. TCP sends a lost first packet again after a second (RFC 6298, section 2.1);
 * those that keep a name for a second count in whole seconds, such as nginx, which makes it up to two.
 */
const CLIENTS_ARRIVE_MS = 2500;

/** Stops an instance with grace and removes it, if it is the app's. Its volumes stay; what it wrote elsewhere goes. */
export async function removeInstance(
  context: DriverContext,
  step: StepOf<"instance.remove">,
  { desired, signal }: StepContext,
): Promise<void> {
  await containersForStep(context.scope, desired, signal);
  const container = await context.scope.inspect(step.instanceId, signal);
  if (container !== undefined) {
    const labels = container.Config.Labels;
    if (!context.scope.owns(labels, desired.app.id) || labels?.[LABEL.component] !== step.component)
      throw runtimeProblem("RUNTIME_REFUSED", `container ${step.instanceId.slice(0, 12)} is left alone`, {
        why: `its labels do not say that it is ${instanceTitle(step)} of ${desired.app.slug}`,
        hint: "Make a new plan.",
      });
    await letClientsArrive(context, container.Id, signal);
    context.prober.untrack(container.Id);
    await stop(context, container.Id, { step, signal });
    await remove(context, container.Id, { step, signal });
    context.prober.forget(container.Id);
    context.retiredAtMs.delete(container.Id);
  }
  await context.lock.run(desired.app.id, () => sweepFiles(context, desired.app.id, signal));
}

/** A client that knocked while the instance was out of its network knocks again after a second; it is to find it. */
async function letClientsArrive(context: DriverContext, id: string, signal: AbortSignal): Promise<void> {
  const retiredAtMs = context.retiredAtMs.get(id);
  if (retiredAtMs === undefined) return;
  const leftMs = retiredAtMs + CLIENTS_ARRIVE_MS - performance.now();
  if (leftMs > 0) await delay(leftMs, undefined, { signal }).catch(() => signal.throwIfAborted());
}

interface Removal {
  readonly step: StepOf<"instance.remove">;
  readonly signal: AbortSignal;
}

async function stop(context: DriverContext, id: string, { step, signal }: Removal): Promise<void> {
  await context.client.call({
    method: "POST",
    path: `/containers/${id}/stop`,
    query: { t: Math.ceil(step.graceMs / 1000) },
    what: `stop ${instanceTitle(step)}`,
    accept: [404],
    timeoutMs: step.graceMs + ENGINE_SLACK_MS,
    signal,
  });
}

/** `v` removes the nameless volumes that an image declares, never named ones. */
async function remove(context: DriverContext, id: string, { step, signal }: Removal): Promise<void> {
  const { status, words } = await context.client.call({
    method: "DELETE",
    path: `/containers/${id}`,
    query: { force: true, v: true },
    what: `remove ${instanceTitle(step)}`,
    accept: [404, 409],
    signal,
  });
  if (status === 409 && !/already in progress/i.test(words))
    throw runtimeProblem("RUNTIME_REFUSED", `the engine refused to remove ${instanceTitle(step)}`, {
      why: words,
    });
}
