import { type Component, durationMs, type Volume } from "@sampan/template";
import type { ComponentData } from "./desired.ts";
import { STEP_TIMEOUT_MS } from "./step-list.ts";

/** What of a component a data snapshot captures: all its own volumes that last, unless it names some. Undefined when it has none. */
export function resolveData({ volumes = {}, snapshot = {} }: Component): ComponentData | undefined {
  const { before, after, restored, within } = snapshot;
  const lasting = Object.keys(volumes).filter((name) => isOwnAndLasts(volumes[name]));
  const chosen = snapshot.volumes === undefined ? lasting : lasting.filter(isIn(snapshot.volumes));
  if (chosen.length === 0) return undefined;
  return {
    volumes: chosen.sort(),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(restored === undefined ? {} : { restored }),
    withinMs: within === undefined ? STEP_TIMEOUT_MS.data : durationMs(within),
  };
}

/** What is shared is kept by the component that owns it. */
function isOwnAndLasts(volume: Volume | undefined): boolean {
  return volume !== undefined && volume.kind !== "memory" && volume.from === undefined;
}

function isIn(names: readonly string[]): (name: string) => boolean {
  return (name) => names.includes(name);
}
