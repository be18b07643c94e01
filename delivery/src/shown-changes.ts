import { answerChanges, type Change, type Desired, diffApps } from "@sampan/plan";
import type { StoredApp } from "@sampan/store";
import type { Change as Wish } from "./change.ts";
import type { Settled } from "./settle.ts";

interface Shown {
  readonly wish: Pick<Wish, "kind" | "changes" | "remove">;
  readonly before: StoredApp | undefined;
  readonly last: Desired | undefined;
  readonly settled: Settled;
}

/** All that a change makes different for the app: properties, answers, modules, and components that stop or come with them. */
export function shownChanges(shown: Shown): readonly Change[] {
  const { wish, before, settled } = shown;
  if (wish.remove === true) return [];
  const { spec, values, modules, pulledIn } = settled;
  const properties = wish.changes ?? (before === undefined ? [] : diffApps(before.spec, spec));
  const answers = answerChanges({
    ...(before === undefined
      ? {}
      : { before: { spec: before.spec, parameters: before.values.parameters, modules: before.modules } }),
    after: { spec, parameters: values.parameters, modules },
    by: wish.kind === "rollback" ? "returned" : "answered",
    pulledIn,
  });
  return [...properties, ...answers, ...switchedComponents(shown)];
}

/** Components that a module takes away or brings, of those that were there before and are there still. */
function switchedComponents({ before, last, settled }: Shown): readonly Change[] {
  if (before === undefined || last === undefined) return [];
  const ran = new Set(last.components.map(({ name }) => name));
  const runs = new Set(settled.desired.components.map(({ name }) => name));
  return Object.keys(settled.spec.components).flatMap((name): Change[] => {
    if (before.spec.components[name] === undefined || ran.has(name) === runs.has(name)) return [];
    const modules = Object.entries(settled.spec.modules ?? {})
      .filter(
        ([module, { components }]) => components.includes(name) && settled.modules[module] === runs.has(name),
      )
      .map(([module]) => module);
    const of = `${modules.length === 1 ? "module" : "modules"} ${modules.join(", ")}`;
    const why = runs.has(name) ? `${of} turned on` : `${of} turned off: it stops, and its data stays`;
    const action = runs.has(name) ? "add" : "remove";
    return [
      {
        path: `components.${name}`,
        component: name,
        what: "component",
        action,
        why,
        secret: false,
        decided: false,
      },
    ];
  });
}
