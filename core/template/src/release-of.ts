import type { Fault } from "@sampan/problem";
import { API_VERSION, type App, type AppBody } from "./app.ts";
import { canonicalText } from "./canonical-text.ts";
import type { Component, PinnedImage } from "./component.ts";
import { own } from "./faults.ts";
import { type Parsed, parseReleaseValue } from "./parse.ts";
import type { Release, Template } from "./release.ts";

export interface ReleaseWish {
  readonly template: Template;
  readonly version: string;
  readonly alias?: string;
  readonly notes?: string;
  /** What was captured: the image of each component and plugin, by its name in the app. */
  readonly images: {
    readonly components: Readonly<Record<string, PinnedImage>>;
    readonly plugins?: Readonly<Record<string, PinnedImage>>;
  };
  /** Components to publish anew; all when absent. The others come from `previous` as they were there, or are left out. */
  readonly components?: readonly string[];
  readonly previous?: Release;
}

export interface ReleaseResult extends Parsed<Release> {
  /** What of the app is not in the release, with the reason: nothing is left out silently. */
  readonly omitted: readonly Fault[];
}

/** Makes the release of an app: images pinned, builds dropped, ids required. It is checked whole, as if it came from outside. */
export function releaseOf(app: App, wish: ReleaseWish): ReleaseResult {
  const omitted: Fault[] = [];
  const faults: Fault[] = [];
  for (const name of wish.components ?? []) {
    if (own(app.components, name) === undefined)
      faults.push({ path: `components.${name}`, message: `there is no component \`${name}\` to publish` });
  }
  const components = chooseComponents(app, wish, { faults, omitted });
  const plugins = Object.entries(app.plugins ?? {}).map(([name, plugin]) => {
    const image = own(wish.images.plugins, name) ?? pinned(plugin.image);
    if (image === undefined)
      faults.push({ path: `plugins.${name}.image`, message: "no image was captured for it" });
    return [name, { ...plugin, image: image ?? plugin.image }] as const;
  });
  const body: AppBody = withoutDangling({ ...app, components: Object.fromEntries(components) }, omitted);
  const { title, summary, parameters, modules, routes, preflight, acceptance } = body;
  const parsed = parseReleaseValue({
    apiVersion: API_VERSION,
    kind: "Release",
    template: wish.template,
    version: wish.version,
    alias: wish.alias,
    notes: wish.notes,
    title,
    summary,
    parameters,
    modules,
    components: body.components,
    plugins: app.plugins === undefined ? undefined : Object.fromEntries(plugins),
    routes,
    preflight,
    acceptance,
  });
  // What was not captured is said in those words, not as an image that is not pinned.
  const said = new Set(faults.map(({ path }) => path));
  const all = [...faults, ...parsed.faults.filter(({ path }) => !said.has(path))];
  return all.length === 0 ? { ...parsed, omitted } : { faults: all, warnings: parsed.warnings, omitted };
}

/** The text whose SHA-256 is the release's digest, and which a bundle carries. */
export function releaseText(release: Release): string {
  return canonicalText(release);
}

/** Gives an id, for ever, to every component that has none. `newId` makes one from the component's name. */
export function assignComponentIds<T extends AppBody>(app: T, newId: (name: string) => string): T {
  const components = Object.entries(app.components).map(([name, component]) => [
    name,
    component.id === undefined ? { ...component, id: newId(name) } : component,
  ]);
  return { ...app, components: Object.fromEntries(components) as T["components"] };
}

function chooseComponents(
  app: App,
  { components, images, previous }: ReleaseWish,
  { faults, omitted }: { faults: Fault[]; omitted: Fault[] },
): [string, Component][] {
  return Object.entries(app.components).flatMap(([name, component]): [string, Component][] => {
    const path = `components.${name}`;
    if (components !== undefined && !components.includes(name)) {
      const [before] = Object.entries(previous?.components ?? {}).filter(
        ([, { id }]) => id !== undefined && id === component.id,
      );
      if (before !== undefined) return [before];
      omitted.push({ path, message: "not selected, and in no earlier release" });
      return [];
    }
    const { build: _build, installation: _installation, ...rest } = component;
    const image = own(images.components, name) ?? pinned(component.image);
    if (image === undefined) {
      faults.push({ path: `${path}.image`, message: "no image was captured for it" });
      return [[name, rest]];
    }
    return [[name, { ...rest, image }]];
  });
}

/** Takes out of modules, routes and acceptance what names components that are not in the release. Needs are left: they are faults. */
function withoutDangling(app: AppBody, omitted: Fault[]): AppBody {
  const isHere = (name: string) => Object.hasOwn(app.components, name);
  const leaveOut = (path: string, component: string) =>
    omitted.push({ path, message: `names \`${component}\`, which is not in the release` });
  const result: AppBody = { ...app };
  const modules = Object.entries(app.modules ?? {}).flatMap(([name, module]) => {
    const components = module.components.filter(isHere);
    for (const gone of module.components.filter((one) => !isHere(one)))
      leaveOut(`modules.${name}.components`, gone);
    return components.length === 0 ? [] : [[name, { ...module, components }] as const];
  });
  if (app.modules !== undefined) result.modules = Object.fromEntries(modules);
  const routes = Object.entries(app.routes ?? {}).filter(([name, route]) => {
    const gone = route.to.find(({ component }) => !isHere(component));
    if (gone !== undefined) leaveOut(`routes.${name}`, gone.component);
    return gone === undefined;
  });
  if (app.routes !== undefined) result.routes = Object.fromEntries(routes);
  if (app.acceptance !== undefined)
    result.acceptance = app.acceptance.filter((check, index) => {
      const component = (check.http ?? check.tcp ?? check.exec)?.component;
      const isGone = component !== undefined && !isHere(component);
      if (isGone) leaveOut(`acceptance.${index}`, component);
      return !isGone;
    });
  return result;
}

function pinned(image: string | PinnedImage | undefined): PinnedImage | undefined {
  return typeof image === "object" ? image : undefined;
}
