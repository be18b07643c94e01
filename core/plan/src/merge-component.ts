import type { Component } from "@sampan/template";
import { type Change, type Decision, makeChange } from "./change.ts";
import { judgeProperty } from "./merge-rules.ts";
import { planProblem } from "./problems.ts";
import {
  allProperties,
  COMPONENT_SECTIONS,
  differingProperties,
  type Property,
  pathOf,
  propertyWords,
  valueAt,
  withProperties,
} from "./property.ts";
import { isSameImage, sameValue } from "./same-value.ts";

/** Decisions by path, with a memory of which were used. */
export class Decisions {
  readonly #decisions: ReadonlyMap<string, Decision>;
  readonly #unused: Set<string>;
  /** Names of components of which something is decided. */
  readonly #components: ReadonlySet<string>;

  constructor(decisions: Readonly<Record<string, Decision>> = {}) {
    this.#decisions = new Map(Object.entries(decisions));
    this.#unused = new Set(this.#decisions.keys());
    const inComponents = [...this.#unused].filter((path) => path.startsWith("components."));
    this.#components = new Set(inComponents.map((path) => path.split(".", 2)[1] ?? ""));
  }

  of(path: string): Decision | undefined {
    if (this.#decisions.size === 0) return undefined;
    this.#unused.delete(path);
    return this.#decisions.get(path);
  }

  /** Whether anything of the component is decided. */
  areAbout(component: string): boolean {
    return this.#components.has(component);
  }

  /** Throws PLAN_UNKNOWN_CHANGE for decisions about what is not there. */
  refuseUnused(): void {
    if (this.#unused.size === 0) return;
    throw planProblem("PLAN_UNKNOWN_CHANGE", "a decision names a property that is not there", {
      faults: [...this.#unused].map((path) => ({ path, message: "nothing to decide here" })),
      hint: "look at the list of changes again: the app may have moved since",
    });
  }
}

/** What a rule or a person makes of one thing with a site value and an offered one. */
export interface Verdict {
  /** Undefined: as the site has it, and not worth a word. */
  readonly change: Change | undefined;
  readonly value: unknown;
}

export function settle(
  one: {
    readonly path: string;
    readonly component?: string;
    readonly what: string;
    readonly site: unknown;
    readonly offered: unknown;
  },
  judged: { readonly take: "offered" | "site" | "same"; readonly why: string; readonly laterEdit?: true },
  decision: Decision | undefined,
): Verdict {
  const { site, offered } = one;
  const decided = decision !== undefined;
  if (!decided && judged.take === "same") return { change: undefined, value: site };
  const value = decided ? decidedValue(one, decision) : judged.take === "offered" ? offered : site;
  const why = decided
    ? typeof decision === "string"
      ? `decided: ${decision}`
      : "decided: edited"
    : judged.why;
  // An image is its id: another name for the same one is taken, and not worth a word.
  if (!decided && isSameImage(site, value)) return { change: undefined, value };
  const { path, component, what } = one;
  return {
    value,
    change: makeChange(
      {
        path,
        ...(component === undefined ? {} : { component }),
        what,
        action: actionOf(site, value),
        why,
        decided,
        ...(judged.laterEdit === true && !sameValue(site, value) ? { laterEdit: true } : {}),
      },
      { before: site, offered, after: value },
    ),
  };
}

function decidedValue(
  one: { readonly path: string; readonly site: unknown; readonly offered: unknown },
  decision: Decision,
): unknown {
  if (decision === "take") return one.offered;
  if (decision === "keep") return one.site;
  if (decision.edit === undefined || decision.edit === null)
    throw planProblem("PLAN_DECISION_INVALID", `the edit of ${one.path} gives no value`, {
      hint: "give a value, or decide take or keep",
    });
  return decision.edit;
}

function actionOf(before: unknown, after: unknown): Change["action"] {
  if (sameValue(before, after)) return "keep";
  if (before === undefined) return "add";
  return after === undefined ? "remove" : "change";
}

export interface ThreeSides {
  readonly name: string;
  readonly old: Component | undefined;
  readonly offered: Component;
  readonly site: Component;
}

/** Property by property. The site's own object comes back when nothing changes. */
export function mergeComponent(
  sides: ThreeSides,
  decisions: Decisions,
): { readonly component: Component; readonly changes: readonly Change[] } {
  const { name, old, offered, site } = sides;
  const properties = decisions.areAbout(name)
    ? allProperties(site, offered)
    : differingProperties(site, offered);
  const moved: Property[] = [];
  const changes: Change[] = [];
  for (const property of properties) {
    const section = COMPONENT_SECTIONS[property.section];
    if (section.class === "identity") continue;
    const values = {
      old: valueAt(old, property),
      offered: valueAt(offered, property),
      site: valueAt(site, property),
    };
    const path = `components.${name}.${pathOf(property)}`;
    const decision = decisions.of(path);
    if (decision === undefined && sameValue(values.offered, values.site)) continue;
    const judged = judgeProperty({
      ...values,
      class: section.class,
      siteDroppedEntry: hasEntry(old, property) && !hasEntry(site, property),
      releaseDroppedEntry: hasEntry(old, property) && !hasEntry(offered, property),
    });
    const verdict = settle(
      { path, component: name, what: propertyWords(property), site: values.site, offered: values.offered },
      judged,
      decision,
    );
    if (verdict.change !== undefined) changes.push(verdict.change);
    if (!sameValue(verdict.value, values.site)) moved.push({ ...property, value: verdict.value });
  }
  return { component: moved.length === 0 ? site : withProperties(site, moved), changes };
}

/** Whether the component has the section's entry, such as the port, that the property is of. */
function hasEntry(component: Component | undefined, { section, key }: Property): boolean {
  const value = component?.[section];
  if (value === undefined) return false;
  if (COMPONENT_SECTIONS[section].shape === "whole") return true;
  if (Array.isArray(value)) return (value as readonly unknown[]).includes(key);
  return Object.hasOwn(value as object, key);
}
