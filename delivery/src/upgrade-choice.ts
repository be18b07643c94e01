import type { Fault } from "@sampan/problem";
import type { Installation } from "@sampan/store";
import type { App, Release } from "@sampan/template";
import { deliveryProblem } from "./problems.ts";

/** To upgrade nothing would still say that the new release is installed. Throws UPGRADE_SELECTION. */
export function refuseEmptySelection(components: readonly string[] | undefined, release: Release): void {
  if (components === undefined || components.length > 0) return;
  throw deliveryProblem("UPGRADE_SELECTION", "nothing is selected to be upgraded", {
    hint: `name components of the release (${namesOf(release.components)}), or none at all to upgrade everything`,
  });
}

/**
 * From names of components in the release to names here: the same by the ids that the release gives them. Every name that cannot be
 * meant is a fault that says which can. Throws UPGRADE_SELECTION.
 */
export function mappingById(
  mapping: Readonly<Record<string, string>>,
  among: { readonly release: Release; readonly site: App; readonly installation: Pick<Installation, "id"> },
): Readonly<Record<string, string>> {
  const faults: Fault[] = [];
  const byId = new Map<string, string>();
  const takenBy = new Map<string, string>();
  for (const [name, here] of Object.entries(mapping)) {
    const id = ownOf(among.release.components, name)?.id;
    const fault =
      id === undefined
        ? `the release has no component ${name}; it has ${namesOf(among.release.components)}`
        : faultOfPlace(here, { ...among, id, takenBy });
    if (fault !== undefined) faults.push({ path: `mapping.${name}`, message: fault });
    else if (id !== undefined) byId.set(id, here);
    takenBy.set(here, name);
  }
  if (faults.length === 0) return Object.fromEntries(byId);
  throw deliveryProblem("UPGRADE_SELECTION", "components cannot be mapped like that", {
    faults,
    hint: "map a component of the release to the one here whose place it takes: --map NEW=HERE",
  });
}

function faultOfPlace(
  here: string,
  among: {
    readonly release: Release;
    readonly site: App;
    readonly installation: Pick<Installation, "id">;
    readonly id: string;
    readonly takenBy: ReadonlyMap<string, string>;
  },
): string | undefined {
  const { release, site, installation, id, takenBy } = among;
  const place = ownOf(site.components, here);
  if (place === undefined) return `there is no component ${here} here; there are ${namesOf(site.components)}`;
  const other = takenBy.get(here);
  if (other !== undefined) return `${here} is given to ${other} already`;
  if (place.installation !== undefined && place.installation !== installation.id)
    return `${here} belongs to another installation`;
  const own = Object.entries(release.components).find(([, one]) => one.id === place.id);
  if (place.installation === installation.id && own !== undefined && own[1].id !== id)
    return `${here} is ${own[0]} of the release already`;
  return undefined;
}

function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function namesOf(components: Readonly<Record<string, unknown>>): string {
  return Object.keys(components).join(", ");
}
