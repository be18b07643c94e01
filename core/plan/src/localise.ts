import type { AcceptanceCheck, AppBody, Component, EnvValue, Plugin, Route } from "@sampan/template";
import type { NamedSection } from "./merge-input.ts";

/** Names elsewhere to names here; what is not in a map keeps its name. */
export type NameMaps = { readonly [K in "components" | NamedSection]: ReadonlyMap<string, string> };

/** The body with the names that things have here, wherever one thing names another. */
export function localise(body: AppBody, names: NameMaps): AppBody {
  const rename = (map: ReadonlyMap<string, string>, name: string) => map.get(name) ?? name;
  return {
    ...body,
    components: mapRecord(body.components, names.components, (component, name) =>
      localiseComponent(component, names, { from: name, to: rename(names.components, name) }),
    ),
    ...(body.parameters && { parameters: mapRecord(body.parameters, names.parameters, (one) => one) }),
    ...(body.plugins && { plugins: mapRecord(body.plugins, names.plugins, (one): Plugin => one) }),
    ...(body.modules && {
      modules: mapRecord(body.modules, names.modules, (one) => ({
        ...one,
        components: one.components.map((name) => rename(names.components, name)),
        ...(one.requires && { requires: one.requires.map((name) => rename(names.modules, name)) }),
        ...(one.conflicts && { conflicts: one.conflicts.map((name) => rename(names.modules, name)) }),
      })),
    }),
    ...(body.routes && { routes: mapRecord(body.routes, names.routes, (one) => localiseRoute(one, names)) }),
    ...(body.acceptance && { acceptance: body.acceptance.map((one) => localiseCheck(one, names)) }),
  };
}

function localiseComponent(
  component: Component,
  names: NameMaps,
  own: { readonly from: string; readonly to: string },
): Component {
  const renameComponent = (name: string) => names.components.get(name) ?? name;
  const renameValue = (value: EnvValue): EnvValue =>
    typeof value === "object" && "parameter" in value
      ? { parameter: names.parameters.get(value.parameter) ?? value.parameter }
      : value;
  // A component tells others its host by its own name: that has to follow.
  const renameOffer = (value: EnvValue): EnvValue => (value === own.from ? own.to : renameValue(value));
  return {
    ...component,
    ...(component.needs && { needs: component.needs.map(renameComponent) }),
    ...(component.env && { env: mapRecord(component.env, NO_NAMES, renameValue) }),
    ...(component.connection && { connection: mapRecord(component.connection, NO_NAMES, renameOffer) }),
    ...(component.volumes && {
      volumes: mapRecord(component.volumes, NO_NAMES, (one) =>
        one.from === undefined ? one : { ...one, from: renameComponent(one.from) },
      ),
    }),
    ...(component.ports && {
      ports: mapRecord(component.ports, NO_NAMES, (one) =>
        typeof one.hostPort === "object"
          ? {
              ...one,
              hostPort: { parameter: names.parameters.get(one.hostPort.parameter) ?? one.hostPort.parameter },
            }
          : one,
      ),
    }),
    ...(component.plugins && {
      plugins: mapRecord(component.plugins, NO_NAMES, (one) => ({
        ...one,
        plugin: names.plugins.get(one.plugin) ?? one.plugin,
      })),
    }),
  };
}

function localiseRoute(route: Route, names: NameMaps): Route {
  const renameComponent = (name: string) => names.components.get(name) ?? name;
  if (route.kind === "http")
    return { ...route, to: route.to.map((one) => ({ ...one, component: renameComponent(one.component) })) };
  return {
    ...route,
    listen:
      typeof route.listen === "number"
        ? route.listen
        : { parameter: names.parameters.get(route.listen.parameter) ?? route.listen.parameter },
    to: route.to.map((one) => ({ ...one, component: renameComponent(one.component) })),
  };
}

function localiseCheck(check: AcceptanceCheck, names: NameMaps): AcceptanceCheck {
  const at = <T extends { readonly component: string }>(one: T): T => ({
    ...one,
    component: names.components.get(one.component) ?? one.component,
  });
  return {
    ...check,
    name: names.acceptance.get(check.name) ?? check.name,
    ...(check.http && { http: at(check.http) }),
    ...(check.tcp && { tcp: at(check.tcp) }),
    ...(check.exec && { exec: at(check.exec) }),
  };
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

function mapRecord<T, U>(
  record: Readonly<Record<string, T>>,
  names: ReadonlyMap<string, string>,
  change: (value: T, name: string) => U,
): Record<string, U> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [names.get(name) ?? name, change(value, name)]),
  );
}

/** Whether no name differs: then there is nothing to do. */
export function isIdentity(names: NameMaps): boolean {
  return Object.values(names).every((map) => [...map].every(([from, to]) => from === to));
}
