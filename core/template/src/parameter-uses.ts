import type { AppBody } from "./app.ts";
import type { Path } from "./faults.ts";

export interface ParameterUse {
  readonly name: string;
  readonly path: Path;
  /** Components that use it; a route counts for those that it leads to. */
  readonly components: readonly string[];
  /** It stands for a port number. */
  readonly needsInt: boolean;
}

/** Every place where an app names a parameter, in the order of the text. */
export function parameterUses(app: AppBody): ParameterUse[] {
  const uses: ParameterUse[] = [];
  for (const [component, { env, connection, ports }] of Object.entries(app.components)) {
    const add = (path: Path, value: unknown, needsInt: boolean) => {
      if (typeof value === "object" && value !== null && "parameter" in value)
        uses.push({
          name: String(value.parameter),
          path: ["components", component, ...path],
          components: [component],
          needsInt,
        });
    };
    for (const [name, value] of Object.entries(env ?? {})) add(["env", name, "parameter"], value, false);
    for (const [name, value] of Object.entries(connection ?? {}))
      add(["connection", name, "parameter"], value, false);
    for (const [name, port] of Object.entries(ports ?? {}))
      add(["ports", name, "hostPort", "parameter"], port.hostPort, true);
  }
  for (const [route, value] of Object.entries(app.routes ?? {})) {
    if (value.kind !== "tcp" || typeof value.listen !== "object") continue;
    const components = value.to.map(({ component }) => component);
    uses.push({
      name: value.listen.parameter,
      path: ["routes", route, "listen", "parameter"],
      components,
      needsInt: true,
    });
  }
  return uses;
}
