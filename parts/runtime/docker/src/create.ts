import type { DesiredComponent, StepOf } from "@sampan/plan";
import { runtimeProblem, type StepContext } from "@sampan/runtime";
import { componentOf, containersForStep, findInstance, instanceTitle } from "./app-containers.ts";
import { chooseInit, containerBody } from "./container-config.ts";
import type { DriverContext } from "./driver-context.ts";
import { refusal } from "./engine-failure.ts";
import type { EngineContainerSummary, EngineImage, EngineNetwork } from "./engine-types.ts";
import { bindFiles, putFiles, splitFiles, sweepFiles } from "./instance-files.ts";
import { instanceLabels, LABEL, ownerLabels } from "./labels.ts";
import { containerName, elsewhere, networkAliases } from "./names.ts";
import { renderRecipe } from "./recipe.ts";
import { parseStartFailure, portTaken } from "./start-failure.ts";
import { chooseAddress } from "./subnets.ts";
import { appVolumes, findVolume } from "./volumes.ts";

type CreateStep = StepOf<"instance.create">;

const ADDRESS_ATTEMPTS_MAX = 4;

/** Makes and starts an instance, unless it is there; one that was made and not started is finished. */
export async function createInstance(
  context: DriverContext,
  step: CreateStep,
  stepContext: StepContext,
): Promise<void> {
  const { desired, signal } = stepContext;
  const component = componentOf(desired, step);
  const image = await requireImage(context, component, signal);
  const avoid = new Set<string>();
  for (let attempt = 1; attempt <= ADDRESS_ATTEMPTS_MAX; attempt++) {
    const made = await context.lock.run(desired.app.id, async () => {
      const containers = await containersForStep(context.scope, desired, signal);
      const there = findInstance(containers, step);
      if (there !== undefined) return { id: there.Id, state: there.State };
      const id = await makeContainer(context, { step, stepContext, component, image, containers, avoid });
      return { id, state: "created" };
    });
    if (made.state !== "created") return;
    const address = await startContainer(context, component, made.id, stepContext);
    if (address === undefined) return;
    avoid.add(address);
  }
  throw runtimeProblem("RUNTIME_REFUSED", `${instanceTitle(step)} gets no address in its network`, {
    why: "something outside of Sampan takes addresses there",
  });
}

async function requireImage(
  context: DriverContext,
  component: DesiredComponent,
  signal: AbortSignal,
): Promise<EngineImage> {
  const { id, name } = component.spec.image;
  const image = await context.scope.imageById(id, signal);
  if (image !== undefined) return image;
  throw runtimeProblem("RUNTIME_IMAGE_ABSENT", `the engine does not have the image of ${component.name}`, {
    why: `${name} (${id}) is not there`,
    hint: "Make a new plan, which brings it there first.",
  });
}

interface Making {
  readonly step: CreateStep;
  readonly stepContext: StepContext;
  readonly component: DesiredComponent;
  readonly image: EngineImage;
  readonly containers: readonly EngineContainerSummary[];
  /** Addresses that turned out to be taken. */
  readonly avoid: ReadonlySet<string>;
}

async function makeContainer(context: DriverContext, making: Making): Promise<string> {
  const { step, component, image } = making;
  const { desired, signal } = making.stepContext;
  const { app, generation } = desired;
  const network = await requireNetwork(context, making);
  const address = freeAddress(network, making);
  const volumeName = await volumeNames(context, making);
  const info = await context.scope.knownInfo(signal);
  const name = await freeName(context, making);
  const { bound } = splitFiles(component.spec);
  const files = { app, name, image, spec: component.spec };
  const place = {
    labels: {
      ...ownerLabels(app, context.scope.site),
      ...instanceLabels(component, { index: step.index, generation, address }, step.serve),
      [LABEL.recipe]: renderRecipe(component),
    },
    network: network.Name,
    address,
    aliases: networkAliases(step, {
      serving: step.serve,
      components: desired.components.map((one) => one.name),
    }),
    volumeName,
    boundFiles: await bindFiles(context, files, bound, signal),
    init: chooseInit(component.spec, image, info.InitBinary),
  };
  const { body } = await context.client.call<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    query: { name },
    body: containerBody(component, step.index, place),
    what: `make ${instanceTitle(step)}`,
    signal,
  });
  return body.Id;
}

async function requireNetwork(context: DriverContext, making: Making): Promise<EngineNetwork> {
  const { desired, signal } = making.stepContext;
  const network = await context.scope.network(desired.app.id, signal);
  if (network !== undefined) return network;
  throw runtimeProblem("RUNTIME_ABSENT", `the network of ${desired.app.slug} does not exist any more`, {
    hint: "Make a new plan, which makes it first.",
  });
}

function freeAddress(network: EngineNetwork, making: Making): string {
  const given = making.containers
    .toSorted((a, b) => Number(a.Labels?.[LABEL.generation]) - Number(b.Labels?.[LABEL.generation]))
    .flatMap(({ Labels }) => Labels?.[LABEL.address] ?? []);
  const used = new Set([...given, ...making.avoid]);
  const last = [...making.avoid].at(-1) ?? given.at(-1);
  const address = chooseAddress(network.IPAM?.Config?.[0]?.Subnet ?? "", used, last);
  if (address !== undefined) return address;
  throw runtimeProblem("RUNTIME_REFUSED", `the network of ${making.stepContext.desired.app.slug} is full`, {
    why: `${used.size} instances have all of its addresses`,
  });
}

async function volumeNames(
  context: DriverContext,
  making: Making,
): Promise<(mount: { readonly owner: string; readonly volume: string }) => string> {
  const { desired, signal } = making.stepContext;
  const volumes = making.component.spec.mounts.some(({ kind }) => kind === "volume")
    ? await appVolumes(context.scope, desired.app.id, signal)
    : [];
  return (mount) => {
    const volume = findVolume(volumes, mount);
    if (volume !== undefined) return volume.Name;
    throw runtimeProblem(
      "RUNTIME_ABSENT",
      `volume ${mount.volume} of ${mount.owner} does not exist any more`,
      {
        why: `${making.component.name} is to mount it`,
        hint: "Make a new plan, which makes it first. Restore its data if it had any.",
      },
    );
  };
}

/** The usual name, unless a container has it that is not this app's, or is an earlier one of the same generation. */
async function freeName(context: DriverContext, making: Making): Promise<string> {
  const { desired, signal } = making.stepContext;
  const usual = containerName(desired.app, { ...making.step, generation: desired.generation });
  const holder = await context.scope.inspect(usual, signal);
  if (holder === undefined) return usual;
  const other = elsewhere(usual, desired.app);
  if ((await context.scope.inspect(other, signal)) === undefined) return other;
  return `${other}-${making.component.specDigest.slice(-6)}`;
}

/** Puts config files in place and starts. Returns the address when it turned out to be taken; the container is removed then, as on each failure. */
async function startContainer(
  context: DriverContext,
  component: DesiredComponent,
  id: string,
  { desired, signal }: Pick<StepContext, "desired" | "signal">,
): Promise<string | undefined> {
  const container = await context.scope.instance(
    { app: desired.app.id, component: component.name, id },
    signal,
  );
  const target = { id, user: container.Config.User ?? "" };
  await putFiles(context, target, splitFiles(component.spec).put, signal);
  const what = `start ${container.Name.slice(1)}`;
  const { status, words } = await context.client.call({
    method: "POST",
    path: `/containers/${id}/start`,
    what,
    accept: [400, 403, 404, 409, 500],
    signal,
  });
  if (status < 400) return undefined;
  await removeUnstarted(context, desired.app.id, id);
  const failure = parseStartFailure(words);
  if (failure.kind === "address") return container.Config.Labels?.[LABEL.address] ?? "";
  if (failure.kind === "port")
    throw portTaken(component, failure.port, await context.scope.everyContainer(signal));
  throw refusal(what, status, words);
}

/** Finishes an instance that was made, and not started, when the server ended. */
export async function startContainerAgain(
  context: DriverContext,
  step: Pick<CreateStep, "component" | "specDigest">,
  id: string,
  stepContext: Pick<StepContext, "desired" | "signal">,
): Promise<void> {
  const component = componentOf(stepContext.desired, step);
  const taken = await startContainer(context, component, id, stepContext);
  if (taken === undefined) return;
  throw runtimeProblem(
    "RUNTIME_ABSENT",
    `an instance of ${component.name} lost its address before it started`,
    {
      why: `something else in the network has ${taken}`,
      hint: "Make a new plan.",
    },
  );
}

async function removeUnstarted(context: DriverContext, app: string, id: string): Promise<void> {
  await context.client.call({
    method: "DELETE",
    path: `/containers/${id}`,
    query: { force: true, v: true },
    what: "remove a container that did not start",
    accept: [404, 409],
  });
  await context.lock.run(app, () => sweepFiles(context, app, AbortSignal.timeout(30_000)));
}
