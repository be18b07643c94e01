import type { AppRef, DesiredComponent, InstanceSpec } from "@sampan/plan";
import { leadingInstances, type RunningApp, runningApp, runtimeProblem } from "@sampan/runtime";
import { newestGeneration } from "./app-containers.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineContainer, EngineContainerSummary } from "./engine-types.ts";
import { readFile } from "./instance-files.ts";
import { type InstanceLabels, LABEL, parseInstanceLabels } from "./labels.ts";
import { isServing } from "./observe-instance.ts";
import { parseRecipe, type Recipe, specOf } from "./recipe.ts";

/** Reads back what an app should be, from labels, containers and their files. See `Driver.readApp`. */
export async function readApp(
  context: DriverContext,
  id: string,
  signal: AbortSignal | undefined,
): Promise<RunningApp | undefined> {
  const { scope } = context;
  const [summaries, networks, volumes] = await Promise.all([
    scope.containers(id, signal),
    scope.networks(id, signal),
    scope.volumes(id, signal),
  ]);
  const [first] = [...summaries, ...networks, ...volumes];
  if (first === undefined) return undefined;
  const app: AppRef = { id, slug: first.Labels?.[LABEL.slug] ?? "" };
  const instances: ReadInstance[] = [];
  for (const summary of summaries) instances.push(...(await readInstance(context, app, summary, signal)));
  const remarks: string[] = [];
  const components: DesiredComponent[] = [];
  for (const { leader, replicas } of leadingInstances(instances)) {
    const files = await readFiles(context, leader, { remarks, signal });
    components.push(componentOf(leader, replicas, files));
  }
  return runningApp({ app, generation: newestGeneration(summaries), components, remarks });
}

interface ReadInstance {
  readonly component: string;
  readonly index: number;
  readonly generation: number;
  readonly serving: boolean;
  readonly container: EngineContainer;
  readonly labels: InstanceLabels;
  readonly recipe: Recipe;
}

/** None when it is gone meanwhile. One that cannot be read is refused: left out, it would be taken for something to remove. */
async function readInstance(
  context: DriverContext,
  app: AppRef,
  summary: EngineContainerSummary,
  signal: AbortSignal | undefined,
): Promise<readonly ReadInstance[]> {
  const container = await context.scope.inspect(summary.Id, signal);
  if (container === undefined) return [];
  const labels = parseInstanceLabels(container.Config.Labels, container.Config.Env ?? []);
  const recipe = parseRecipe(container.Config.Labels?.[LABEL.recipe]);
  if (labels === undefined || recipe === undefined)
    throw runtimeProblem("RUNTIME_UNREADABLE", `${app.slug} cannot be read back from the engine`, {
      why: `the labels of container ${container.Name.slice(1)} do not tell all that it was made from`,
      hint: "Restore a backup of the database; or, if nobody needs that container, remove it (docker rm) and try again.",
    });
  const { component, index, generation } = labels;
  return [
    { component, index, generation, serving: isServing(container, component), container, labels, recipe },
  ];
}

function componentOf(
  { container, labels, recipe }: ReadInstance,
  replicas: number,
  files: InstanceSpec["files"],
): DesiredComponent {
  const { kind, needs, startWithinMs, schedule } = recipe;
  return {
    name: labels.component,
    id: labels.componentId,
    kind,
    needs,
    replicas,
    startWithinMs,
    specDigest: labels.specDigest,
    spec: specOf(container, recipe, { imageId: labels.imageId, probes: labels.probes, files }),
    ...(schedule === undefined ? {} : { schedule }),
  };
}

async function readFiles(
  context: DriverContext,
  { component, container, recipe }: ReadInstance,
  { remarks, signal }: { readonly remarks: string[]; readonly signal: AbortSignal | undefined },
): Promise<InstanceSpec["files"]> {
  const files: InstanceSpec["files"][number][] = [];
  for (const { path, mode } of recipe.files) {
    const bytes = await readFile(context, { container: container.Id, path, signal });
    const content = bytes === undefined ? undefined : decode(bytes);
    if (content === undefined)
      remarks.push(
        `the config file ${path} of ${component} could not be read back: it is not there as a text any more`,
      );
    else files.push({ path, content, mode });
  }
  return files;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
