import type { App, Component, ConfigFile, EnvValue } from "@sampan/template";
import { MASK } from "./change.ts";

/** The app with its secrets masked: what people are shown. */
export function maskApp(app: App): App {
  return mapSecrets(app, {
    value: (value) => (isSecret(value) ? { secret: MASK } : value),
    file: (file) => (file.secret === true ? { ...file, content: MASK } : file),
  });
}

/** The app as it came back from somebody who was shown it masked: a mask that was left alone stands for the secret that it hid. */
export function unmaskApp(app: App, before: App): App {
  return mapSecrets(app, {
    value: (value, { component, place, key }) => {
      const known = before.components[component]?.[place]?.[key];
      return isSecret(value) && value.secret === MASK && isSecret(known) ? known : value;
    },
    file: (file, { component, path }) => {
      const known = before.components[component]?.files?.[path];
      return file.content === MASK && known !== undefined ? { ...file, content: known.content } : file;
    },
  });
}

function isSecret(value: EnvValue | undefined): value is { secret: string } {
  return typeof value === "object" && "secret" in value;
}

interface SecretMap {
  value(
    value: EnvValue,
    at: { readonly component: string; readonly place: "env" | "connection"; readonly key: string },
  ): EnvValue;
  file(file: ConfigFile, at: { readonly component: string; readonly path: string }): ConfigFile;
}

function mapSecrets(app: App, map: SecretMap): App {
  const components = Object.entries(app.components).map(([name, component]) => [
    name,
    mapComponent(name, component, map),
  ]);
  return { ...app, components: Object.fromEntries(components) };
}

function mapComponent(name: string, component: Component, map: SecretMap): Component {
  const mapped: Component = { ...component };
  for (const place of ["env", "connection"] as const) {
    const values = component[place];
    if (values === undefined) continue;
    mapped[place] = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, map.value(value, { component: name, place, key })]),
    );
  }
  if (component.files !== undefined) {
    mapped.files = Object.fromEntries(
      Object.entries(component.files).map(([path, file]) => [
        path,
        map.file(file, { component: name, path }),
      ]),
    );
  }
  return mapped;
}
