import type { Digest } from "@sampan/content";
import { type Change, type Desired, diffApps } from "@sampan/plan";
import type { StoredApp } from "@sampan/store";
import { type App, type Component, findSecrets, type Release } from "@sampan/template";
import type { ComponentHealth } from "./observe.ts";

/** What a publisher must know. "blocks" must be mended, "ask" mended or accepted, "note" is only said. */
export interface Finding {
  readonly code: string;
  readonly level: "blocks" | "ask" | "note";
  readonly component?: string;
  readonly path?: string;
  readonly text: string;
  readonly remedy?: string;
}

export interface ComponentShare {
  readonly name: string;
  readonly included: boolean;
  readonly changed: "new" | "changed" | "unchanged" | "unknown";
  readonly imageId?: Digest;
}

export interface PublishReport {
  readonly findings: readonly Finding[];
  readonly components: readonly ComponentShare[];
  readonly changes: readonly Change[];
}

interface ReportInput {
  readonly app: StoredApp;
  /** The app as it would be published: choices applied. */
  readonly spec: App;
  readonly desired: Desired | undefined;
  readonly health: readonly ComponentHealth[];
  /** Names to publish anew. */
  readonly selected: readonly string[];
  readonly previous?: Release;
  /** Paths that the publisher said travel as they are. */
  readonly fixedPaths: ReadonlySet<string>;
}

/** Nothing is left out silently: every doubt is a finding, in the order of the components. */
export function reportPublish(input: ReportInput): PublishReport {
  const findings: Finding[] = [];
  const components: ComponentShare[] = [];
  const changes = input.previous === undefined ? [] : diffApps(input.previous, asRelease(input));
  const before = new Set(Object.values(input.previous?.components ?? {}).map((component) => component.id));
  for (const [name, component] of Object.entries(input.spec.components)) {
    const included = input.selected.includes(name);
    const imageId = imageIdOf(input, name);
    const changed = howChanged(name, { isNew: !before.has(component.id), imageId, changes });
    components.push({ name, included, changed, ...(imageId === undefined ? {} : { imageId }) });
    findings.push(
      ...(included ? findingsOf(input, name, component) : leftOut(name, before.has(component.id))),
    );
  }
  for (const { path, why } of findSecrets(input.spec)) {
    if (input.fixedPaths.has(path)) continue;
    const remedy = `--random ${path} or --ask ${path}; --fixed ${path} when it is none`;
    findings.push({ code: "SECRET_IN_CLEAR", level: "ask", path, text: why, remedy });
  }
  return { findings, components, changes };
}

function imageIdOf(input: ReportInput, name: string): Digest | undefined {
  return input.desired?.components.find((one) => one.name === name)?.spec.image.id;
}

/** The app as it would stand in the release: images pinned to what runs, nothing of this site. */
function asRelease(input: ReportInput): App {
  const components = Object.entries(input.spec.components).map(([name, component]) => {
    const { build: _, installation: __, ...rest } = component;
    const running = input.desired?.components.find((one) => one.name === name)?.spec.image;
    return [name, running === undefined ? rest : { ...rest, image: running }] as const;
  });
  return { ...input.spec, components: Object.fromEntries(components) };
}

function howChanged(
  name: string,
  known: {
    readonly isNew: boolean;
    readonly imageId: Digest | undefined;
    readonly changes: readonly Change[];
  },
): ComponentShare["changed"] {
  if (known.isNew) return "new";
  if (known.imageId === undefined) return "unknown";
  return known.changes.some((change) => change.component === name) ? "changed" : "unchanged";
}

function leftOut(name: string, carried: boolean): Finding[] {
  if (carried)
    return [
      {
        code: "COMPONENT_CARRIED",
        level: "note",
        component: name,
        text: "not selected: it is carried over from the release before",
      },
    ];
  return [
    {
      code: "COMPONENT_LEFT_OUT",
      level: "ask",
      component: name,
      text: "not selected, and in no release before: it will not be in the release",
      remedy: `select ${name} too`,
    },
  ];
}

function findingsOf(input: ReportInput, name: string, component: Component): Finding[] {
  const found: Finding[] = [];
  const health = input.health.find((one) => one.name === name);
  if (health === undefined) {
    found.push({
      code: "COMPONENT_OFF",
      level: "ask",
      component: name,
      text: "its module is off, so it does not run: nobody saw it work",
      remedy: "switch the module on and look",
    });
  } else if (health.health !== "running") {
    found.push({
      code: "COMPONENT_NOT_RUNNING",
      level: "ask",
      component: name,
      text: `it is ${health.health}: ${health.ready} of ${health.replicas} instances are ready`,
      remedy: "bring it to health first",
    });
  }
  for (const [volume, { kind }] of Object.entries(component.volumes ?? {})) {
    if (kind === "persistent")
      found.push({
        code: "VOLUME_DATA_STAYS",
        level: "note",
        component: name,
        path: `components.${name}.volumes.${volume}`,
        text: "the data in this volume is not part of a release",
      });
  }
  if (component.security?.privileged === true) {
    found.push({
      code: "PRIVILEGED",
      level: "note",
      component: name,
      text: "it runs privileged: a site must allow that",
    });
  }
  return found;
}
