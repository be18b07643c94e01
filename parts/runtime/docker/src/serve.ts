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
 * Gives an instance its component's name. The engine cannot add a name to an endpoint, so the instance is taken out
 * of the network and put back with the same address; open connections live through the blink. Done again, it also
 * mends an instance that a crash left outside of the network.
 */
export async function serveInstance(
  context: DriverContext,
  step: StepOf<"instance.serve">,
  { desired, signal }: StepContext,
): Promise<void> {
  const containers = await containersForStep(context.scope, desired, signal);
  const id = findInstance(containers, step)?.Id ?? "";
  const ref = { app: desired.app.id, component: step.component, id };
  const container = await context.scope.instance(ref, signal);
  const network = await context.scope.network(desired.app.id, signal);
  if (network === undefined)
    throw runtimeProblem("RUNTIME_ABSENT", `the network of ${desired.app.slug} does not exist any more`, {
      hint: "Make a new plan, which makes it first.",
    });
  if (isServing(container, step.component)) return;
  const components = desired.components.map(({ name }) => name);
  const aliases = networkAliases(step, { serving: "now", components });
  const what = `let ${instanceTitle(step)} serve`;
  await disconnect(context, { container, network, what });
  await connect(context, { container, network, what }, aliases);
}

interface Joint {
  readonly container: EngineContainer;
  readonly network: EngineNetwork;
  readonly what: string;
}

/** Neither half is given a signal: between the two nobody may leave. */
async function disconnect(context: DriverContext, { container, network, what }: Joint): Promise<void> {
  if (container.NetworkSettings.Networks?.[network.Name] === undefined) return;
  await context.client.call({
    method: "POST",
    path: `/networks/${network.Id}/disconnect`,
    body: { Container: container.Id, Force: false },
    what,
  });
}

async function connect(
  context: DriverContext,
  { container, network, what }: Joint,
  aliases: readonly string[],
): Promise<void> {
  const present = container.NetworkSettings.Networks?.[network.Name]?.IPAMConfig?.IPv4Address;
  const address = present ?? container.Config.Labels?.[LABEL.address] ?? "";
  await context.client.call({
    method: "POST",
    path: `/networks/${network.Id}/connect`,
    body: { Container: container.Id, EndpointConfig: endpoint({ address, aliases }) },
    what,
  });
}
