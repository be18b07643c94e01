import type { Desired } from "./desired.ts";
import type { Observed, ObservedInstance } from "./observed.ts";
import type { Step, StepOf } from "./plan-types.ts";

/** What is observed after a step succeeded: the model of a driver that the planner's tests reason with. `newId` names instances. */
export function simulateStep(
  observed: Observed,
  desired: Desired,
  step: Step,
  newId: () => string,
): Observed {
  const { instances } = observed;
  switch (step.kind) {
    case "network.ensure":
      return { ...observed, network: true };
    case "network.remove":
      return { ...observed, network: false };
    case "volume.ensure":
      return { ...observed, volumes: [...observed.volumes, { owner: step.component, volume: step.volume }] };
    case "image.ensure":
      return { ...observed, images: [...observed.images, step.imageId] };
    case "instance.remove":
      return { ...observed, instances: instances.filter((one) => one.id !== step.instanceId) };
    case "instance.create": {
      if (instances.some((one) => isOf(one, step))) return observed;
      const component = desired.components.find((one) => one.name === step.component);
      const made: ObservedInstance = {
        id: newId(),
        component: step.component,
        index: step.index,
        specDigest: step.specDigest,
        generation: desired.generation,
        imageId: component!.spec.image.id,
        state: "starting",
        serving: step.serve === "now",
        restarts: 0,
        hostPorts: component!.spec.ports.flatMap(({ name, hostPort }) =>
          hostPort === undefined ? [] : [{ name, hostPort }],
        ),
      };
      return { ...observed, generation: desired.generation, instances: [...instances, made] };
    }
    case "instance.ready":
    case "instance.complete": {
      const state = step.kind === "instance.ready" ? "ready" : "completed";
      return { ...observed, instances: instances.map((one) => (isOf(one, step) ? { ...one, state } : one)) };
    }
    case "instance.serve":
      return {
        ...observed,
        instances: instances.map((one) =>
          one.component === step.component && one.index === step.index
            ? { ...one, serving: isOf(one, step) }
            : one,
        ),
      };
    case "data.restore":
      return withVolumes(observed, step);
    // What is in volumes is not observed.
    case "data.capture":
    case "data.resume":
      return observed;
  }
}

function withVolumes(observed: Observed, { component: owner, volumes }: StepOf<"data.restore">): Observed {
  const isSeen = (name: string) => observed.volumes.some((one) => one.owner === owner && one.volume === name);
  const made = volumes.filter((name) => !isSeen(name)).map((volume) => ({ owner, volume }));
  return { ...observed, volumes: [...observed.volumes, ...made] };
}

function isOf(
  one: ObservedInstance,
  step: { readonly component: string; readonly index: number; readonly specDigest: string },
): boolean {
  return one.component === step.component && one.index === step.index && one.specDigest === step.specDigest;
}
