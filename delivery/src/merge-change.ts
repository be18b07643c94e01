import type { Merged } from "@sampan/plan";
import { readApp } from "./apps.ts";
import { type Change, type Changed, type ChangeOptions, change } from "./change.ts";
import type { KeptNames } from "./merge-base.ts";
import type { Parts } from "./parts.ts";

/** A change that came out of a merge, with all that was decided. */
export interface MergedChange extends Changed {
  readonly pulledIn: Merged["pulledIn"];
  readonly remarks: readonly string[];
  readonly installationId?: string;
}

/** Carries a merge out, and keeps what it called things with the installation. */
export async function changeByMerge(
  parts: Parts,
  merged: Pick<Merged, "app" | "changes" | "pulledIn" | "remarks"> & { readonly names?: KeptNames },
  wish: Omit<Change, "spec">,
  options: ChangeOptions,
): Promise<MergedChange> {
  const installation =
    wish.installation === undefined || merged.names === undefined
      ? {}
      : { installation: { ...wish.installation, names: merged.names } };
  const done = await change(
    parts,
    { ...wish, ...installation, spec: readApp({ app: merged.app }), changes: merged.changes },
    options,
  );
  return {
    ...done,
    pulledIn: [...merged.pulledIn, ...done.modulesPulledIn.map(pulledModule)],
    remarks: merged.remarks,
    ...(wish.installation === undefined || options.dryRun === true
      ? {}
      : { installationId: wish.installation.id }),
  };
}

/** A module that comes on because something requires it, beside components that come along. */
export function pulledModule({
  name,
  because,
}: Changed["modulesPulledIn"][number]): Merged["pulledIn"][number] {
  return { component: `module ${name}`, because };
}
