import type { App } from "@sampan/template";
import { type Change, makeChange } from "./change.ts";
import { componentsOf, withSections } from "./merge-sections.ts";
import { planProblem } from "./problems.ts";

/** Throws PLAN_NEED_ABSENT when something needs what was here `before` and no longer is. */
export function refuseMissingNeeds(app: App, before: App): void {
  const faults = Object.entries(app.components).flatMap(([name, { needs = [], volumes = {} }]) => {
    const owners = Object.values(volumes).flatMap((volume) => volume.from ?? []);
    return [...new Set([...needs, ...owners])]
      .filter((need) => isRemoved(app, before, need))
      .map((need) => ({
        path: `components.${name}.needs`,
        message: `needs ${need}, which would be removed`,
      }));
  });
  if (faults.length === 0) return;
  throw planProblem("PLAN_NEED_ABSENT", "a component that others need cannot be removed", {
    faults,
    hint: "keep it, or remove what needs it as well",
  });
}

/** Takes components that are removed out of modules, and routes and checks of them away. */
export function pruneDangling(
  app: App,
  before: App,
): { readonly app: App; readonly changes: readonly Change[] } {
  const isGone = (name: string) => isRemoved(app, before, name);
  if (!Object.keys(before.components).some(isGone)) return { app, changes: [] };
  const changes: Change[] = [];
  const note = (path: string, what: string, gone: string | undefined) =>
    changes.push(makeChange({ path, what, action: "remove", why: `${gone} is removed`, decided: false }, {}));
  const modules = Object.entries(app.modules ?? {}).flatMap(([name, module]) => {
    const components = module.components.filter((one) => !isGone(one));
    if (components.length > 0) return [[name, { ...module, components }] as const];
    note(`modules.${name}`, `module ${name}`, module.components[0]);
    return [];
  });
  const routes = Object.entries(app.routes ?? {}).filter(([name, route]) => {
    const gone = componentsOf("routes", route).find(isGone);
    if (gone !== undefined) note(`routes.${name}`, `route ${name}`, gone);
    return gone === undefined;
  });
  const acceptance = (app.acceptance ?? []).filter((check) => {
    const gone = componentsOf("acceptance", check).find(isGone);
    if (gone !== undefined) note(`acceptance.${check.name}`, `acceptance check ${check.name}`, gone);
    return gone === undefined;
  });
  const sections = {
    modules: modules.length === 0 ? undefined : Object.fromEntries(modules),
    routes: routes.length === 0 ? undefined : Object.fromEntries(routes),
    acceptance: acceptance.length === 0 ? undefined : acceptance,
  };
  return { app: withSections(app, sections as Parameters<typeof withSections>[1]), changes };
}

function isRemoved(app: App, before: App, name: string): boolean {
  return Object.hasOwn(before.components, name) && !Object.hasOwn(app.components, name);
}
