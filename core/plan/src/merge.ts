import type { App, AppBody, Component } from "@sampan/template";
import { type Change, COMPONENT, makeChange } from "./change.ts";
import { type ComponentPair, type Pairing, pairComponents } from "./component-pairs.ts";
import { isIdentity, localise } from "./localise.ts";
import { Decisions, mergeComponent } from "./merge-component.ts";
import type { Merged, MergeInput, NamedSection } from "./merge-input.ts";
import { nameSections, namesToKeep, withComponents } from "./merge-names.ts";
import { componentsOf, judgeByRules, mergeSections, usedNames, withSections } from "./merge-sections.ts";
import { planProblem } from "./problems.ts";
import { pruneDangling, refuseMissingNeeds } from "./removed-components.ts";
import { sameValue } from "./same-value.ts";

/**
 * What is desired after an install or upgrade: old release, new release and site brought together, property by property, by the
 * table in merge-rules.ts. The site is given back unchanged where nothing applies. The result may hold what a person edited:
 * parse it before use. Throws PLAN_UNKNOWN_COMPONENT, PLAN_UNKNOWN_CHANGE, PLAN_DECISION_INVALID, PLAN_NEED_ABSENT.
 */
export function merge(given: MergeInput): Merged {
  const names = nameSections(given);
  const pairing = pairComponents(given);
  const [oldNames, newNames] = [pairing.oldNames, pairing.newNames].map((one) => withComponents(names, one));
  const input: MergeInput = {
    ...given,
    newRelease: newNames && !isIdentity(newNames) ? localise(given.newRelease, newNames) : given.newRelease,
    ...(given.oldRelease &&
      oldNames && {
        oldRelease: isIdentity(oldNames) ? given.oldRelease : localise(given.oldRelease, oldNames),
      }),
  };
  const merging = new Merging(input, pairing, selectedNames(given, pairing));
  merging.mergeComponents();
  merging.mergeSections();
  merging.decisions.refuseUnused();
  const pruned = pruneDangling(withSections(merging.appSoFar(), merging.sections), given.site);
  const { app } = pruned;
  refuseMissingNeeds(app, given.site);
  return {
    app,
    changes: [...merging.changes, ...pruned.changes],
    pulledIn: merging.pulledIn,
    names: namesToKeep(names),
    remarks: renameRemarks(pairing, app),
  };
}

class Merging {
  readonly input: MergeInput;
  readonly decisions: Decisions;
  readonly changes: Change[] = [];
  readonly pulledIn: { readonly component: string; readonly because: string }[] = [];
  sections: ReturnType<typeof mergeSections>["sections"] = {};
  readonly #pairs: ReadonlyMap<string, ComponentPair>;
  readonly #selected: ReadonlySet<string> | undefined;
  readonly #components: Map<string, Component>;
  /** Components that are the new release's now, by name. */
  readonly #done = new Set<string>();

  constructor(input: MergeInput, pairing: Pairing, selected: ReadonlySet<string> | undefined) {
    this.input = input;
    this.decisions = new Decisions(input.decisions);
    this.#selected = selected;
    this.#components = new Map(Object.entries(input.site.components));
    const at = (body: MergeInput["oldRelease"], name: string) =>
      body !== undefined && Object.hasOwn(body.components, name) ? body.components[name] : undefined;
    this.#pairs = new Map(
      pairing.pairs.map((pair) => [
        pair.name,
        {
          ...pair,
          old: pair.old === undefined ? undefined : (at(input.oldRelease, pair.name) ?? pair.old),
          offered: at(input.newRelease, pair.name),
        },
      ]),
    );
  }

  appSoFar(): App {
    return { ...this.input.site, components: Object.fromEntries(this.#components) };
  }

  mergeComponents(): void {
    for (const pair of this.#pairs.values()) {
      if (pair.offered === undefined) this.#considerGone(pair);
      else if (this.#isWanted(pair)) this.#bring(pair, pair.offered);
    }
    for (const pair of this.#pairs.values())
      if (pair.offered !== undefined && !this.#done.has(pair.name)) this.#listLeft(pair);
  }

  #isWanted(pair: ComponentPair): boolean {
    if (this.#done.has(pair.name)) return false;
    if (pair.site === undefined) {
      const decision = this.decisions.of(`components.${pair.name}`);
      if (decision === "keep") return false;
      if (decision === "take") return true;
    }
    if (this.#selected !== undefined) return this.#selected.has(pair.name);
    return pair.site !== undefined || pair.old === undefined;
  }

  /** Merges or creates a component, and then what it needs. */
  #bring(first: ComponentPair, offered: Component): void {
    const queue: { readonly pair: ComponentPair; readonly offered: Component; readonly why: string }[] = [
      { pair: first, offered, why: first.old === undefined ? "new in this release" : "selected" },
    ];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { pair } = next;
      if (this.#done.has(pair.name)) continue;
      this.#done.add(pair.name);
      const component = this.#settle(pair, next.offered, next.why);
      for (const need of needsOf(component)) {
        const target = this.#pairs.get(need);
        if (target?.offered === undefined || this.#done.has(need)) continue;
        const because = this.#pullReason(pair, target);
        if (because === undefined) continue;
        this.pulledIn.push({ component: need, because });
        queue.push({ pair: target, offered: target.offered, why: because });
      }
    }
  }

  #settle(pair: ComponentPair, offered: Component, why: string): Component {
    const { name, old, site } = pair;
    const identity = { ...(offered.id && { id: offered.id }), installation: this.input.installation };
    if (site === undefined) {
      const component: Component = { ...offered, ...identity };
      this.#components.set(name, component);
      this.changes.push(this.#whole(name, "add", why));
      return component;
    }
    const merged = mergeComponent({ name, old, offered, site }, this.decisions);
    this.changes.push(...merged.changes);
    const known = site.id === identity.id && site.installation === identity.installation;
    const component = known ? merged.component : { ...merged.component, ...identity };
    this.#components.set(name, component);
    return component;
  }

  /** Why a component that was not asked for has to come along; undefined when what is here will do. */
  #pullReason(user: ComponentPair, target: ComponentPair): string | undefined {
    if (this.#isWanted(target)) return undefined;
    if (target.site === undefined) return `${user.name} needs it, and it is not here`;
    const before = [user.old, user.site].flatMap((one) => (one === undefined ? [] : needsOf(one)));
    const willDo = before.includes(target.name) || sameValue(target.old, target.offered);
    return willDo ? undefined : `${user.name} newly needs it`;
  }

  #considerGone(pair: ComponentPair): void {
    if (pair.site === undefined) return;
    if (this.decisions.of(`components.${pair.name}`) === "take") {
      this.#components.delete(pair.name);
      this.changes.push({ ...this.#whole(pair.name, "remove", "decided: take"), decided: true });
    } else
      this.changes.push(
        this.#whole(
          pair.name,
          "keep",
          "no longer in the template; it keeps running until a person removes it",
        ),
      );
  }

  #listLeft({ name, old, offered, site }: ComponentPair): void {
    const why =
      site === undefined && old !== undefined
        ? "it was removed here"
        : site === undefined
          ? "new in this release, and not selected"
          : "not selected";
    if (site !== undefined && sameValue(old, offered)) return;
    this.changes.push(this.#whole(name, "keep", why));
  }

  #whole(name: string, action: Change["action"], why: string): Change {
    const path = `components.${name}`;
    return makeChange({ path, component: name, what: COMPONENT, action, why, decided: false }, {});
  }

  mergeSections(): void {
    const { oldRelease, newRelease, site } = this.input;
    const routes = Object.values({ ...site.routes, ...newRelease.routes });
    const used = usedNames(this.#components.values(), routes);
    const merged = mergeSections(
      {
        old: oldRelease && trimModules(oldRelease, new Set(Object.keys(site.components))),
        offered: trimModules(newRelease, new Set(this.#components.keys())),
        site,
      },
      {
        decisions: this.decisions,
        judge: judgeByRules,
        isRelevant: (section, entry, name) => this.#isRelevant(section, entry, name, used),
      },
    );
    this.changes.push(...merged.changes);
    this.sections = merged.sections;
  }

  #isRelevant(
    section: NamedSection,
    entry: unknown,
    name: string,
    used: ReturnType<typeof usedNames>,
  ): boolean {
    if (section === "parameters" || section === "plugins")
      return this.#selected === undefined || used[section].has(name);
    const about = componentsOf(section, entry);
    const isHere = (component: string) => this.#components.has(component);
    if (section === "modules" ? !about.some(isHere) : !about.every(isHere)) return false;
    return this.#selected === undefined || about.some((component) => this.#done.has(component));
  }
}

/** Modules name only components that are here. */
function trimModules(release: AppBody, here: ReadonlySet<string>): AppBody {
  if (release.modules === undefined) return release;
  const modules = Object.entries(release.modules).flatMap(([name, module]) => {
    const components = module.components.filter((component) => here.has(component));
    return components.length === 0 ? [] : [[name, { ...module, components }] as const];
  });
  return { ...release, modules: Object.fromEntries(modules) };
}

/** What a component cannot run without: its needs, and the owners of volumes that it shares. */
function needsOf(component: Component): readonly string[] {
  const owners = Object.values(component.volumes ?? {}).flatMap((volume) => volume.from ?? []);
  return [...(component.needs ?? []), ...owners];
}

function selectedNames(input: MergeInput, { pairs, newNames }: Pairing): ReadonlySet<string> | undefined {
  if (input.selection === undefined) return undefined;
  const here = new Set(pairs.filter((pair) => pair.offered !== undefined).map((pair) => pair.name));
  const chosen = input.selection.map((name) => (here.has(name) ? name : newNames.get(name)));
  const unknown = input.selection.filter((_, at) => chosen[at] === undefined);
  if (unknown.length > 0)
    throw planProblem("PLAN_UNKNOWN_COMPONENT", `the release has no component ${unknown.join(", ")}`, {
      why: `it has ${[...newNames.keys()].join(", ")}`,
      hint: "name components of the release",
    });
  return new Set(chosen.filter((name) => name !== undefined));
}

/** A component that had to take another name may still be called by its first one in plain text. */
function renameRemarks({ newNames, pairs }: Pairing, app: App): readonly string[] {
  const isNew = new Set(pairs.filter((pair) => pair.site === undefined).map((pair) => pair.name));
  const renamed = [...newNames].filter(([from, to]) => from !== to && isNew.has(to));
  const mine = new Set(newNames.values());
  return renamed.flatMap(([from, to]) => {
    const word = new RegExp(`(?<![a-z0-9-])${from}(?![a-z0-9-])`);
    return Object.entries(app.components).flatMap(([name, { env = {} }]) =>
      Object.entries(mine.has(name) ? env : {})
        .filter(([, value]) => typeof value === "string" && word.test(value))
        .map(([key]) => `${from} is called ${to} here, and env ${key} of ${name} may mean it: look at it`),
    );
  });
}
