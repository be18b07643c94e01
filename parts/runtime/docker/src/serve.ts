import type { StepOf } from "@sampan/plan";
import { runtimeProblem, type StepContext } from "@sampan/runtime";
import { containersForStep, findInstance, instanceTitle } from "./app-containers.ts";
import { endpoint } from "./container-config.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineContainer, EngineNetwork } from "./engine-types.ts";
import { LABEL } from "./labels.ts";
import { networkAliases } from "./names.ts";
import { isServing } from "./observe-instance.ts";

/**
 * Gives an instance its component's name, and then takes it from others of the same index, so that there is no moment
 * without one. The engine cannot change an endpoint's names: an instance is taken out of the network and put back with
 * the same address; open connections live through the blink. Done again, it also mends an instance that a crash left
 * outside of the network.
 */
export async function serveInstance(
  context: DriverContext,
  step: StepOf<"instance.serve">,
  { desired, signal }: StepContext,
): Promise<void> {
  const containers = await containersForStep(context.scope, desired, signal);
  const network = await context.scope.network(desired.app.id, signal);
  if (network === undefined)
    throw runtimeProblem("RUNTIME_REFUSED", `the network of ${desired.app.slug} does not exist any more`, {
      hint: "Make a new plan, which makes it first.",
    });
  const taking = findInstance(containers, step)?.Id ?? "";
  const giving = containers.filter(
    ({ Id, Labels }) =>
      Id !== taking &&
      Labels?.[LABEL.component] === step.component &&
      Labels[LABEL.index] === String(step.index),
  );
  const components = desired.components.map(({ name }) => name);
  for (const [id, serving] of [[taking, "now"] as const, ...giving.map(({ Id }) => [Id, "later"] as const)]) {
    const ref = { app: desired.app.id, component: step.component, id };
    const container = await context.scope.instance(ref, signal);
    if (isServing(container, step.component) === (serving === "now")) continue;
    const aliases = networkAliases(step, { serving, components });
    const joint = { container, network, what: `let ${instanceTitle(step)} serve` };
    // One at a time: an engine that has several to do would leave each out for longer than clients wait.
    await context.lock.run("rejoin", () =>
      serving === "now"
        ? rejoin(context, joint, aliases)
        : whileFrozen(context, joint, () => rejoin(context, joint, aliases)),
    );
    if (serving === "later") context.retiredAtMs.set(id, performance.now());
  }
}

interface Joint {
  readonly container: EngineContainer;
  readonly network: EngineNetwork;
  readonly what: string;
}

/** One that still answers requests must not look for others while it is out of the network: it would find nobody. */
async function whileFrozen(
  context: DriverContext,
  { container }: Joint,
  act: () => Promise<void>,
): Promise<void> {
  if (!container.State.Running) return await act();
  await setFrozen(context, container.Id, "pause");
  try {
    await act();
  } finally {
    await setFrozen(context, container.Id, "unpause");
  }
}

/** What is so already, or has ended meanwhile, is left as it is. */
export async function setFrozen(
  context: DriverContext,
  id: string,
  verb: "pause" | "unpause",
): Promise<void> {
  await context.client.call({
    method: "POST",
    path: `/containers/${id}/${verb}`,
    what: `${verb} an instance`,
    accept: [404, 409],
  });
}

/** Neither half is given a signal: between the two nobody may leave. */
async function rejoin(
  context: DriverContext,
  { container, network, what }: Joint,
  aliases: readonly string[],
): Promise<void> {
  const present = container.NetworkSettings.Networks?.[network.Name];
  const address = present?.IPAMConfig?.IPv4Address ?? container.Config.Labels?.[LABEL.address] ?? "";
  if (present !== undefined)
    await context.client.call({
      method: "POST",
      path: `/networks/${network.Id}/disconnect`,
      body: { Container: container.Id, Force: false },
      what,
    });
  await context.client.call({
    method: "POST",
    path: `/networks/${network.Id}/connect`,
    body: { Container: container.Id, EndpointConfig: endpoint({ address, aliases }) },
    what,
  });
}
