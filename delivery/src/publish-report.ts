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
  const previous = previousById(input.previous);
  for (const [name, component] of Object.entries(input.spec.components)) {
    const included = input.selected.includes(name);
    const before = previous.get(component.id ?? "");
    const imageId = input.desired?.components.find((one) => one.name === name)?.spec.image.id;
    components.push({
      name,
      included,
      changed: howChanged(component, imageId, before, input.previous),
      ...(imageId === undefined ? {} : { imageId }),
    });
    findings.push(...(included ? findingsOf(input, name, component) : leftOut(name, before !== undefined)));
  }
  for (const { path, why } of findSecrets(input.spec)) {
    if (input.fixedPaths.has(path)) continue;
    findings.push({
      code: "SECRET_IN_CLEAR",
      level: "ask",
      path,
      text: why,
      remedy: `--random ${path} or --ask ${path}; --fixed ${path} when it is none`,
    });
  }
  const changes = input.previous === undefined ? [] : diffApps(input.previous, input.spec);
  return { findings, components, changes };
}

function previousById(previous: Release | undefined): ReadonlyMap<string, Component> {
  return new Map(
    Object.values(previous?.components ?? {}).map((component) => [component.id ?? "", component]),
  );
}

function howChanged(
  component: Component,
  imageId: Digest | undefined,
  before: Component | undefined,
  previous: Release | undefined,
): ComponentShare["changed"] {
  if (previous === undefined || before === undefined) return "new";
  if (imageId === undefined) return "unknown";
  const { image, ...rest } = before;
  const { image: _, build: __, installation: ___, ...now } = component;
  const sameImage = typeof image === "object" && image.id === imageId;
  return sameImage && JSON.stringify(rest) === JSON.stringify(now) ? "unchanged" : "changed";
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
