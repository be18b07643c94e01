import type { DesiredComponent } from "@sampan/plan";
import type { Problem } from "@sampan/problem";
import { runtimeProblem } from "@sampan/runtime";
import type { EngineContainerSummary } from "./engine-types.ts";
import { LABEL } from "./labels.ts";

export type StartFailure =
  | { readonly kind: "port"; readonly port: number | undefined }
  /** The fixed address was given to somebody else meanwhile. */
  | { readonly kind: "address" }
  | { readonly kind: "other" };

const PORT_WORDS = /port is already allocated|bind host port|(?:listen|bind)\b.*address already in use/i;
const PORT_FORMS = [
  /Bind for \S*?:(\d{1,5}) failed/i,
  /listen (?:tcp|udp)[46]? \S*?:(\d{1,5}): bind/i,
  /bind host port (?:for )?\S*?:(\d{1,5})[:/]/i,
];

/** Why the engine did not start a container, from its words (Docker 20.10 to 29, Podman 4 and 5). */
export function parseStartFailure(words: string): StartFailure {
  if (PORT_WORDS.test(words)) {
    for (const form of PORT_FORMS) {
      const port = Number(form.exec(words)?.[1]);
      if (port > 0 && port < 65_536) return { kind: "port", port };
    }
    return { kind: "port", port: undefined };
  }
  return /address already in use|requested ip address .* is already allocated/i.test(words)
    ? { kind: "address" }
    : { kind: "other" };
}

/** Tells which port is taken, and by whom when that is a container. */
export function portTaken(
  component: DesiredComponent,
  port: number | undefined,
  containers: readonly EngineContainerSummary[],
): Problem {
  const wanted = component.spec.ports.flatMap(({ hostPort }) => hostPort ?? []);
  const taken = port ?? (wanted.length === 1 ? wanted[0] : undefined);
  const what = taken === undefined ? `one of the ports ${wanted.join(", ")}` : `port ${taken}`;
  const holder = containers.find(({ Ports }) => Ports?.some(({ PublicPort }) => PublicPort === taken));
  return runtimeProblem("RUNTIME_PORT_TAKEN", `${what} of this machine is taken`, {
    why: `${component.name} is to be reached there, and ${describeHolder(holder)} holds it`,
    hint: "Free it, or choose another port for the component.",
  });
}

/** Who holds a port, in words. */
export function describeHolder(holder: EngineContainerSummary | undefined): string {
  if (holder === undefined) return "another program";
  const { [LABEL.component]: component, [LABEL.slug]: slug } = holder.Labels ?? {};
  return component === undefined
    ? `container ${holder.Names?.[0]?.slice(1) ?? holder.Id.slice(0, 12)}`
    : `component ${component} of app ${slug}`;
}
