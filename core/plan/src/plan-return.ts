import type { App, Component } from "@sampan/template";
import { type Change, COMPONENT, type Decision, makeChange } from "./change.ts";
import { componentAt, freeName, NAME_LENGTH_MAX } from "./component-pairs.ts";
import { isIdentity, localise } from "./localise.ts";
import { Decisions, settle } from "./merge-component.ts";
import type { NamedSection } from "./merge-input.ts";
import { componentsOf, type JudgeEntry, mergeSections, usedNames, withSections } from "./merge-sections.ts";
import { planProblem } from "./problems.ts";
import { COMPONENT_SECTIONS, componentFrom, type Property, propertiesOf, propertyWords } from "./property.ts";
import { pruneDangling, refuseMissingNeeds } from "./removed-components.ts";
import { sameValue } from "./same-value.ts";

export interface ReturnInput {
  /** The app before the upgrade. */
  readonly snapshot: App;
  /** The app right after it, from the record. Without it, later edits cannot be told from the upgrade. */
  readonly after?: App;
  /** The app as it is now. */
  readonly site: App;
  /** Only this installation's components return; all when absent. */
  readonly installation?: string;
  /** Names here of components that the upgrade added and that are to go. */
  readonly remove?: readonly string[];
  /** By path of a change: keep a later edit, or take what the snapshot has. */
  readonly decisions?: Readonly<Record<string, Decision>>;
}

export interface Returned {
  readonly app: App;
  /** What returns, and with `laterEdit` what was changed since and would be lost. */
  readonly changes: readonly Change[];
  /** Components that the upgrade added and that stay. */
  readonly stays: readonly string[];
}

/**
 * What is desired after going back to a snapshot. Components return as they were; what the upgrade added stays unless it is asked
 * to go; other installations stay as they are. Throws PLAN_UNKNOWN_COMPONENT, PLAN_UNKNOWN_CHANGE, PLAN_NEED_ABSENT.
 */
export function planReturn(input: ReturnInput): Returned {
  const names = namesNow(input.snapshot, input);
  const snapshot = renamed(input.snapshot, names);
  const after = input.after && renamed(input.after, namesNow(input.after, input));
  const returning = new Returning({ ...input, snapshot, ...(after && { after }) });
  return returning.run();
}

class Returning {
  readonly #input: ReturnInput;
  readonly #decisions: Decisions;
  readonly #changes: Change[] = [];
  readonly #components: Map<string, Component>;
  readonly #stays: string[] = [];

  constructor(input: ReturnInput) {
    this.#input = input;
    this.#decisions = new Decisions(input.decisions);
    this.#components = new Map(Object.entries(input.site.components));
  }

  run(): Returned {
    const { snapshot, site } = this.#input;
    for (const [name, target] of Object.entries(snapshot.components))
      if (this.#isMine(target)) this.#returnComponent(name, target);
    this.#considerAdded();
    const used = usedNames(this.#components.values(), this.#routesAfterwards());
    const sections = this.#returnSections(used);
    this.#decisions.refuseUnused();
    const whole = { ...site, components: Object.fromEntries(this.#components) };
    const { app, changes } = pruneDangling(withSections(whole, sections), site);
    refuseMissingNeeds(app, site);
    return { app, changes: [...this.#changes, ...changes], stays: this.#stays };
  }

  #routesAfterwards() {
    const { snapshot, after, site } = this.#input;
    const own = Object.entries(site.routes ?? {}).filter(
      ([name, route]) => !Object.hasOwn(after?.routes ?? {}, name) || this.#isOfStaying("routes", route),
    );
    return [...Object.values(snapshot.routes ?? {}), ...own.map(([, route]) => route)];
  }

  /** What is about components that stay, and about them alone, stays with them. */
  #isOfStaying(section: NamedSection, entry: unknown): boolean {
    const about = componentsOf(section, entry);
    return about.length > 0 && about.every((name) => this.#stays.includes(name));
  }

  #isMine(component: Component): boolean {
    return this.#input.installation === undefined || component.installation === this.#input.installation;
  }

  #returnComponent(name: string, target: Component): void {
    const site = componentAt(this.#input.site, name);
    const after = this.#input.after && componentAt(this.#input.after, name);
    if (site === undefined) {
      const path = `components.${name}`;
      const decision = this.#decisions.of(path);
      const stays = decision === "keep";
      if (!stays) this.#components.set(name, target);
      this.#changes.push({
        ...whole(name, stays ? "keep" : "add", stays ? "decided: keep" : "it was removed since"),
        decided: decision !== undefined,
      });
      return;
    }
    const [wanted, here] = [propertiesOf(target), propertiesOf(site)];
    const made = after === undefined ? here : propertiesOf(after);
    const result = new Map<string, Property>();
    // In the snapshot's order, so that what returns is the same to the letter.
    for (const [at, property] of [...wanted, ...[...here].filter(([at]) => !wanted.has(at))]) {
      const sides = { offered: wanted.get(at)?.value, site: here.get(at)?.value };
      const isIdentity = COMPONENT_SECTIONS[property.section].class === "identity";
      const path = `components.${name}.${at}`;
      const verdict = isIdentity
        ? { value: sides.site, change: undefined }
        : settle(
            { path, component: name, what: propertyWords(property), ...sides },
            judgeReturn({ ...sides, after: made.get(at)?.value }),
            this.#decisions.of(path),
          );
      if (verdict.change !== undefined) this.#changes.push(verdict.change);
      if (verdict.value !== undefined) result.set(at, { ...property, value: verdict.value });
    }
    const component = componentFrom(result.values());
    this.#components.set(name, sameValue(component, site) ? site : component);
  }

  #considerAdded(): void {
    const { site, snapshot, remove = [] } = this.#input;
    const added = Object.keys(site.components).filter(
      (name) => !Object.hasOwn(snapshot.components, name) && this.#isMine(site.components[name] as Component),
    );
    const unknown = remove.filter((name) => !added.includes(name));
    if (unknown.length > 0)
      throw planProblem("PLAN_UNKNOWN_COMPONENT", `${unknown.join(", ")} was not added since`, {
        why: added.length === 0 ? "nothing was added" : `added since: ${added.join(", ")}`,
      });
    for (const name of added) {
      if (remove.includes(name)) {
        this.#components.delete(name);
        this.#changes.push({ ...whole(name, "remove", "it was added since, and is to go"), decided: true });
      } else {
        this.#stays.push(name);
        this.#changes.push(whole(name, "keep", "it was added since; it stays until a person removes it"));
      }
    }
  }

  #returnSections(used: ReturnType<typeof usedNames>) {
    const { snapshot, after, site } = this.#input;
    const judge: JudgeEntry = (one, { section, name }) => {
      if (
        one.offered === undefined &&
        (section === "parameters" || section === "plugins") &&
        used[section].has(name)
      )
        return { take: "same", why: "still used" };
      // Another installation's affair, or a person's: the upgrade did not touch it.
      if (after !== undefined && sameValue(one.old, one.offered))
        return { take: "same", why: "not of the upgrade" };
      return judgeReturn({ ...one, after: after === undefined ? one.site : one.old });
    };
    const merged = mergeSections(
      { old: after, offered: snapshot, site },
      {
        decisions: this.#decisions,
        judge,
        isRelevant: (section, entry) => !this.#isOfStaying(section, entry),
      },
    );
    this.#changes.push(...merged.changes);
    return merged.sections;
  }
}

interface ReturnCase {
  readonly offered: unknown;
  readonly site: unknown;
  readonly after: unknown;
}

/** First match wins. */
const RETURN_RULES = [
  {
    when: (one: ReturnCase) => sameValue(one.offered, one.site),
    judged: { take: "same", why: "it is as before" },
  },
  {
    when: (one: ReturnCase) => sameValue(one.site, one.after),
    judged: { take: "offered", why: "back to what it was" },
  },
  {
    when: () => true,
    judged: { take: "offered", why: "back to what it was; an edit made since is lost", laterEdit: true },
  },
] as const;

function judgeReturn(one: ReturnCase): ReturnType<JudgeEntry> {
  return RETURN_RULES.find((rule) => rule.when(one))?.judged ?? RETURN_RULES[2].judged;
}

function whole(name: string, action: Change["action"], why: string): Change {
  return makeChange(
    { path: `components.${name}`, component: name, what: COMPONENT, action, why, decided: false },
    {},
  );
}

/** A component that was renamed since is found by its id, and keeps its name of now; where another has its name, it gets a new one. */
function namesNow(then: App, { site }: ReturnInput): ReadonlyMap<string, string> {
  const now = new Map<string, string>();
  for (const [name, component] of Object.entries(site.components)) {
    const identity = identityOf(component);
    if (identity !== undefined) now.set(identity, name);
  }
  const taken = new Set(Object.keys(site.components));
  return new Map(
    Object.entries(then.components).map(([name, component]) => {
      const identity = identityOf(component);
      const here = componentAt(site, name);
      const isOther = here !== undefined && identity !== undefined && identityOf(here) !== identity;
      const known = identity === undefined ? undefined : now.get(identity);
      return [name, known ?? (isOther ? freeName(name, taken, NAME_LENGTH_MAX, "-") : name)];
    }),
  );
}

function identityOf({ id, installation }: Component): string | undefined {
  return id === undefined ? undefined : `${installation} ${id}`;
}

const SAME: ReadonlyMap<string, string> = new Map();

function renamed(app: App, components: ReadonlyMap<string, string>): App {
  const names = {
    components,
    parameters: SAME,
    modules: SAME,
    plugins: SAME,
    routes: SAME,
    acceptance: SAME,
  };
  return isIdentity(names) ? app : { ...app, ...localise(app, names) };
}
