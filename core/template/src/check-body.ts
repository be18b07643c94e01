import type { AppBody } from "./app.ts";
import { COMPONENTS_MAX, checkComponents } from "./check-components.ts";
import { checkNeeds } from "./check-needs.ts";
import { checkParameters } from "./check-parameters.ts";
import { checkPorts } from "./check-ports.ts";
import { checkReferences } from "./check-references.ts";
import { checkSnapshots } from "./check-snapshots.ts";
import { checkVariables } from "./check-variables.ts";
import type { PlacedFault } from "./faults.ts";
import { namesIn, type Subject } from "./subject.ts";

const MODULES_MAX = 500;
const PARAMETERS_MAX = 500;
const ENV_MAX = 1000;
const CONNECTION_MAX = 100;

/** All that a schema cannot see. `app` is the part of what was `written` that is right in itself. */
export function checkBody(
  app: AppBody,
  written: { readonly value: unknown; readonly isWhole: boolean },
): { readonly faults: readonly PlacedFault[]; readonly warnings: readonly PlacedFault[] } {
  const subject: Subject = {
    app,
    written: written.value,
    isWhole: written.isWhole,
    faults: [],
    warnings: [],
  };
  for (const [section, max] of [
    ["components", COMPONENTS_MAX],
    ["modules", MODULES_MAX],
    ["parameters", PARAMETERS_MAX],
  ] as const) {
    const count = namesIn(subject, [section]).length;
    if (count > max)
      subject.faults.push({ path: [section], message: `has ${count} entries; at most ${max} are allowed` });
  }
  for (const component of namesIn(subject, ["components"])) {
    for (const [place, max] of [
      ["env", ENV_MAX],
      ["connection", CONNECTION_MAX],
    ] as const) {
      const path = ["components", component, place];
      const count = namesIn(subject, path).length;
      if (count > max)
        subject.faults.push({ path, message: `has ${count} entries; at most ${max} are allowed` });
    }
  }
  // Checks that compare everything with everything rely on the limits.
  if (subject.faults.length > 0) return subject;
  checkComponents(subject);
  checkNeeds(subject);
  checkReferences(subject);
  checkSnapshots(subject);
  checkVariables(subject);
  checkParameters(subject);
  checkPorts(subject);
  return subject;
}

/** What a release must have beyond an app: pinned images, ids for ever, nothing left to build. */
export function checkRelease(app: AppBody): PlacedFault[] {
  const faults: PlacedFault[] = [];
  for (const [name, { id, image, build, installation }] of Object.entries(app.components)) {
    const path = ["components", name];
    if (id === undefined)
      faults.push({
        path: [...path, "id"],
        message: "missing: a component of a release keeps its id for ever",
      });
    if (installation !== undefined)
      faults.push({ path: [...path, "installation"], message: "belongs to a site, not to a release" });
    if (build !== undefined)
      faults.push({ path: [...path, "build"], message: "a release holds images, nothing to build" });
    if (image !== undefined && typeof image === "string")
      faults.push({ path: [...path, "image"], message: "must be pinned: a mapping with `id` and `name`" });
  }
  for (const [name, { image }] of Object.entries(app.plugins ?? {})) {
    if (typeof image === "string")
      faults.push({
        path: ["plugins", name, "image"],
        message: "must be pinned: a mapping with `id` and `name`",
      });
  }
  return faults;
}
