import type { App, Component } from "@sampan/template";
import { deliveryProblem } from "./problems.ts";

/** Volumes go by the component's name: under another one it would begin on empty volumes, with its data left behind. Throws RENAME_LOSES_DATA. */
export function refuseLostData(before: App, next: App): void {
  const faults = Object.entries(before.components).flatMap(([name, component]) => {
    if (component.id === undefined || !hasData(component)) return [];
    const now = Object.entries(next.components).find(([, one]) => isSame(one, component));
    if (now === undefined || now[0] === name) return [];
    return [
      {
        path: `components.${now[0]}`,
        message: `it was \`${name}\`, and its data is in the volumes of that name`,
      },
    ];
  });
  if (faults.length === 0) return;
  throw deliveryProblem("RENAME_LOSES_DATA", "a component that has data would get another name", {
    why: "volumes go by the name of their component, so it would begin on empty ones",
    faults,
    hint: "keep the name and change its title; or give it no id, to make it a new component",
  });
}

function isSame(one: Component, other: Component): boolean {
  return one.id === other.id && one.installation === other.installation;
}

function hasData(component: Component): boolean {
  return Object.values(component.volumes ?? {}).some(
    (volume) => volume.kind !== "memory" && volume.from === undefined,
  );
}
