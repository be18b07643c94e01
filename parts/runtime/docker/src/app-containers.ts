import type { Digest } from "@sampan/content";
import type { Desired, DesiredComponent } from "@sampan/plan";
import { Bug } from "@sampan/problem";
import { runtimeProblem } from "@sampan/runtime";
import type { EngineScope } from "./engine-scope.ts";
import type { EngineContainerSummary } from "./engine-types.ts";
import { LABEL } from "./labels.ts";

/** The containers of the app that a step works on. Throws RUNTIME_STALE when a newer generation was at work there. */
export async function containersForStep(
  scope: EngineScope,
  desired: Desired,
  signal: AbortSignal,
): Promise<readonly EngineContainerSummary[]> {
  const containers = await scope.containers(desired.app.id, signal);
  const newest = newestGeneration(containers);
  if (newest > desired.generation)
    throw runtimeProblem("RUNTIME_STALE", `generation ${desired.generation} of ${desired.app.slug} is over`, {
      why: `generation ${newest} runs already`,
      hint: "Make a new plan.",
    });
  return containers;
}

export function newestGeneration(containers: readonly EngineContainerSummary[]): number {
  return containers.reduce((newest, one) => Math.max(newest, generationOf(one)), 0);
}

/** The newest container of a component, index and spec. */
export function findInstance(
  containers: readonly EngineContainerSummary[],
  wanted: { readonly component: string; readonly index: number; readonly specDigest: Digest },
): EngineContainerSummary | undefined {
  return containers
    .filter(
      ({ Labels }) =>
        Labels?.[LABEL.component] === wanted.component &&
        Labels[LABEL.index] === String(wanted.index) &&
        Labels[LABEL.spec] === wanted.specDigest,
    )
    .sort((a, b) => generationOf(b) - generationOf(a))[0];
}

/** The component a step speaks of, with the spec it was planned with. */
export function componentOf(
  desired: Desired,
  step: { readonly component: string; readonly specDigest: Digest },
): DesiredComponent {
  const component = desired.components.find(({ name }) => name === step.component);
  if (component === undefined) throw new Bug(`a step is for ${step.component}, which is not desired`);
  if (component.specDigest !== step.specDigest)
    throw new Bug(`a step for ${step.component} was planned with another spec than the desired one`);
  return component;
}

/** How people know an instance. */
export function instanceTitle(instance: { readonly component: string; readonly index: number }): string {
  return `${instance.component} ${instance.index}`;
}

function generationOf({ Labels }: EngineContainerSummary): number {
  const generation = Number(Labels?.[LABEL.generation]);
  return Number.isSafeInteger(generation) ? generation : 0;
}
