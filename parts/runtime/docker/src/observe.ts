import type { Digest } from "@sampan/content";
import type { Observed, ObservedInstance } from "@sampan/plan";
import { describeError, isProblem } from "@sampan/problem";
import type { FoundApp } from "@sampan/runtime";
import { newestGeneration } from "./app-containers.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineContainerSummary, EngineLabels, EngineVolume } from "./engine-types.ts";
import { LABEL, parseInstanceLabels } from "./labels.ts";
import { observeInstance } from "./observe-instance.ts";
import { appVolumes } from "./volumes.ts";

/** What runs of one app, from the labels alone. What cannot be made out is said, and makes the look incomplete. */
export async function observeApp(
  context: DriverContext,
  app: { readonly id: string; readonly images: readonly Digest[] },
  signal: AbortSignal | undefined,
): Promise<Observed> {
  const { scope } = context;
  const [containers, network, volumes, images] = await Promise.all([
    scope.containers(app.id, signal),
    scope.network(app.id, signal),
    appVolumes(scope, app.id, signal),
    findImages(context, app.images, signal),
  ]);
  const looks = await Promise.all(containers.map((one) => lookAt(context, one, signal)));
  const remarks = looks.flatMap(({ remark }) => remark ?? []);
  return {
    at: context.clock().toISOString(),
    complete: remarks.length === 0,
    remarks,
    generation: newestGeneration(containers),
    network: network !== undefined,
    volumes: volumes.flatMap(volumeOf).toSorted(byText(({ owner, volume }) => `${owner}/${volume}`)),
    images,
    instances: looks
      .flatMap(({ instance }) => instance ?? [])
      .toSorted(byText((one) => `${one.component}/${String(one.index).padStart(6, "0")}/${one.id}`)),
  };
}

/** All apps of which the engine holds a container, a network or a volume. */
export async function findApps(
  context: DriverContext,
  signal: AbortSignal | undefined,
): Promise<readonly FoundApp[]> {
  const { scope } = context;
  const [containers, networks, volumes] = await Promise.all([
    scope.containers(undefined, signal),
    scope.networks(undefined, signal),
    scope.volumes(undefined, signal),
  ]);
  const found = new Map<string, { slug: string; components: Set<string> }>();
  for (const { Labels } of [...containers, ...networks, ...volumes]) addTo(found, Labels ?? {});
  return [...found]
    .map(([id, { slug, components }]) => ({
      id,
      slug,
      generation: newestGeneration(containers.filter(({ Labels }) => Labels?.[LABEL.app] === id)),
      components: [...components].toSorted(),
    }))
    .toSorted(byText(({ id }) => id));
}

function addTo(found: Map<string, { slug: string; components: Set<string> }>, labels: EngineLabels): void {
  const id = labels[LABEL.app];
  if (id === undefined) return;
  const app = found.get(id) ?? { slug: labels[LABEL.slug] ?? "", components: new Set() };
  const component = labels[LABEL.component];
  if (component !== undefined) app.components.add(component);
  found.set(id, app);
}

async function lookAt(
  context: DriverContext,
  summary: EngineContainerSummary,
  signal: AbortSignal | undefined,
): Promise<{ readonly instance?: ObservedInstance; readonly remark?: string }> {
  const name = summary.Names?.[0]?.slice(1) ?? summary.Id.slice(0, 12);
  try {
    const container = await context.scope.inspect(summary.Id, signal);
    if (container === undefined || container.State.Status === "removing") return {};
    const labels = parseInstanceLabels(container.Config.Labels, container.Config.Env ?? []);
    if (labels === undefined)
      return { remark: `container ${name} carries labels of this app that cannot be read; it is left alone` };
    return { instance: await observeInstance(context.prober, container, labels, signal) };
  } catch (error) {
    signal?.throwIfAborted();
    if (isProblem(error, "RUNTIME_UNREACHABLE")) throw error;
    return { remark: `container ${name} could not be looked at: ${describeError(error)}` };
  }
}

async function findImages(
  context: DriverContext,
  wanted: readonly Digest[],
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  const found = await Promise.all(
    [...new Set(wanted)].map(async (id) => ((await context.scope.imageById(id, signal)) ? [id] : [])),
  );
  return found.flat();
}

function volumeOf({ Labels }: EngineVolume): Observed["volumes"] {
  const { [LABEL.component]: owner, [LABEL.volume]: volume } = Labels ?? {};
  return owner === undefined || volume === undefined ? [] : [{ owner, volume }];
}

function byText<T>(text: (one: T) => string): (a: T, b: T) => number {
  return (a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0);
}
