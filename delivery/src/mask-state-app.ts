import { MASK, maskApp } from "@sampan/plan";
import { type App, type EnvValue, findSecrets } from "@sampan/template";

/** The app for eyes outside the site: its secrets masked, and also what only looks like one. */
export function maskForOutside(app: App): App {
  const masked = maskApp(app);
  const found = new Set(findSecrets(masked).map(({ path }) => path));
  if (found.size === 0) return masked;
  return {
    ...masked,
    ...(masked.parameters === undefined ? {} : { parameters: maskDefaults(masked.parameters, found) }),
    ...(masked.plugins === undefined ? {} : { plugins: maskPlugins(masked.plugins, found) }),
    components: mapEntries(masked.components, (component, name) =>
      maskComponent(component, `components.${name}`, found),
    ),
  };
}

type Found = ReadonlySet<string>;
type Component = App["components"][string];

function maskComponent(component: Component, path: string, found: Found): Component {
  const { env, connection, files, command, args, plugins, build } = component;
  const lines = (place: "command" | "args", list: readonly string[]) =>
    list.map((text, index) => (found.has(`${path}.${place}.${index}`) ? MASK : text));
  return {
    ...component,
    ...(env === undefined ? {} : { env: maskValues(env, `${path}.env`, found) }),
    ...(connection === undefined ? {} : { connection: maskValues(connection, `${path}.connection`, found) }),
    ...(command === undefined ? {} : { command: lines("command", command) }),
    ...(args === undefined ? {} : { args: lines("args", args) }),
    ...(files === undefined
      ? {}
      : {
          files: mapEntries(files, (file, name) =>
            found.has(`${path}.files.${name}`) ? { ...file, secret: true, content: MASK } : file,
          ),
        }),
    ...(plugins === undefined
      ? {}
      : {
          plugins: mapEntries(plugins, (binding, name) =>
            binding.config === undefined
              ? binding
              : { ...binding, config: maskTexts(binding.config, `${path}.plugins.${name}.config`, found) },
          ),
        }),
    ...(build?.args === undefined
      ? {}
      : { build: { ...build, args: maskTexts(build.args, `${path}.build.args`, found) } }),
  };
}

function maskDefaults(parameters: NonNullable<App["parameters"]>, found: Found): App["parameters"] {
  return mapEntries(parameters, (parameter, name) =>
    found.has(`parameters.${name}.default`) && parameter.type === "string"
      ? { ...parameter, default: MASK }
      : parameter,
  );
}

function maskPlugins(plugins: NonNullable<App["plugins"]>, found: Found): App["plugins"] {
  return mapEntries(plugins, (plugin, name) =>
    plugin.env === undefined
      ? plugin
      : { ...plugin, env: maskTexts(plugin.env, `plugins.${name}.env`, found) },
  );
}

function maskValues(
  values: Readonly<Record<string, EnvValue>>,
  path: string,
  found: Found,
): Record<string, EnvValue> {
  return mapEntries(values, (value, name) => (found.has(`${path}.${name}`) ? { secret: MASK } : value));
}

function maskTexts(
  values: Readonly<Record<string, string>>,
  path: string,
  found: Found,
): Record<string, string> {
  return mapEntries(values, (value, name) => (found.has(`${path}.${name}`) ? MASK : value));
}

function mapEntries<T>(
  entries: Readonly<Record<string, T>>,
  map: (value: T, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, map(value, name)]));
}
