import { readFile } from "node:fs/promises";
import type { AppRef, StepOf } from "@sampan/plan";
import { runtimeProblem, type StepContext } from "@sampan/runtime";
import { containersForStep } from "./app-containers.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineNetwork } from "./engine-types.ts";
import { LABEL, ownerLabels } from "./labels.ts";
import { elsewhere, networkName } from "./names.ts";
import { type AddressRange, chooseSubnet, parseRange, parseRoutes, renderAddress } from "./subnets.ts";

const ATTEMPTS_MAX = 64;

/** One bridge network for the app, with a subnet of its own: only there may instances keep a fixed address. */
export async function ensureNetwork(
  context: DriverContext,
  _step: StepOf<"network.ensure">,
  { desired, signal }: StepContext,
): Promise<void> {
  await containersForStep(context.scope, desired, signal);
  await context.lock.run("networks", async () => {
    if ((await context.scope.network(desired.app.id, signal)) !== undefined) return;
    await createNetwork(context, desired.app, signal);
  });
}

/** Removes the app's network once nothing of the app is left in it. */
export async function removeNetwork(
  context: DriverContext,
  _step: StepOf<"network.remove">,
  { desired, signal }: StepContext,
): Promise<void> {
  const containers = await containersForStep(context.scope, desired, signal);
  const network = await context.scope.network(desired.app.id, signal);
  if (network === undefined) return;
  if (containers.length > 0)
    throw runtimeProblem("RUNTIME_REFUSED", `the network of ${desired.app.slug} is still in use`, {
      why: `${containers.length} of its instances are there`,
      hint: "Make a new plan, which removes them first.",
    });
  await context.client.call({
    method: "DELETE",
    path: `/networks/${network.Id}`,
    what: `remove network ${network.Name}`,
    accept: [404],
    signal,
  });
}

async function createNetwork(context: DriverContext, app: AppRef, signal: AbortSignal): Promise<void> {
  const all = await listNetworks(context, signal);
  const used = [...all.flatMap(rangesOf), ...(await hostRoutes(context))];
  const name = chooseName(app, all);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const subnet = chooseSubnet(context.addressPool, used);
    if (subnet === undefined) break;
    const { status, words } = await context.client.call({
      method: "POST",
      path: "/networks/create",
      body: networkBody(name, subnet, ownerLabels(app, context.scope.site)),
      what: `make network ${name}`,
      accept: [400, 403, 409, 500],
      signal,
    });
    if (status < 400) return;
    if (!/overlap|already (?:used|in use)|conflict/i.test(words))
      throw runtimeProblem("RUNTIME_REFUSED", `the engine refused to make network ${name}`, { why: words });
    used.push(parseRange(subnet) as AddressRange);
  }
  throw runtimeProblem("RUNTIME_REFUSED", `there is no free subnet for the network of ${app.slug}`, {
    why: `networks and routes of the machine use all of ${context.addressPool}`,
    hint: "Remove networks that are not needed any more, or give Sampan another address range.",
  });
}

function networkBody(name: string, subnet: string, labels: Readonly<Record<string, string>>): object {
  const { first } = parseRange(subnet) as AddressRange;
  const config = {
    Subnet: subnet,
    Gateway: renderAddress(first + 1),
    IPRange: `${renderAddress(first + 240)}/28`,
  };
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: "bridge",
    IPAM: { Driver: "default", Config: [config] },
    Labels: labels,
  };
}

function chooseName(app: AppRef, all: readonly EngineNetwork[]): string {
  const name = networkName(app);
  const holder = all.find((one) => one.Name === name);
  if (holder === undefined) return name;
  if (holder.Labels?.[LABEL.app] !== undefined) return elsewhere(name, app);
  throw runtimeProblem("RUNTIME_REFUSED", `there is a network ${name} that Sampan did not make`, {
    why: "it carries no labels of an app",
    hint: `Remove it (docker network rm ${name}), or give the app another name.`,
  });
}

async function listNetworks(context: DriverContext, signal: AbortSignal): Promise<readonly EngineNetwork[]> {
  const { body } = await context.client.call<readonly EngineNetwork[]>({
    method: "GET",
    path: "/networks",
    what: "list networks",
    signal,
  });
  return body;
}

function rangesOf(network: EngineNetwork): readonly AddressRange[] {
  return (network.IPAM?.Config ?? []).flatMap(({ Subnet }) => parseRange(Subnet ?? "") ?? []);
}

/** Where the engine is on this machine, its routes matter: a network on top of one would cut the machine off. */
async function hostRoutes(context: DriverContext): Promise<readonly AddressRange[]> {
  if (context.client.address.kind !== "socket") return [];
  return parseRoutes(await readFile("/proc/net/route", "utf8").catch(() => ""));
}
