import type { DesiredComponent } from "./desired.ts";
import { planProblem } from "./problems.ts";

/**
 * Components so that each comes after all that it needs; among equals by name, so the order is a function of the input's content.
 * Throws PLAN_NEED_ABSENT, PLAN_NEED_CYCLE.
 */
export function needOrder(components: readonly DesiredComponent[]): readonly DesiredComponent[] {
  const byName = new Map(components.map((component) => [component.name, component]));
  const ordered: DesiredComponent[] = [];
  const visited = new Map<string, "open" | "done">();
  for (const root of [...components].sort(byNameOrder)) {
    if (visited.has(root.name)) continue;
    visited.set(root.name, "open");
    const path: Visit[] = [visitOf(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const need = top.needs[top.next++];
      if (need === undefined) {
        visited.set(top.component.name, "done");
        ordered.push(top.component);
        path.pop();
        continue;
      }
      const target = byName.get(need);
      if (target === undefined) throw absentNeed(top.component.name, need);
      if (visited.get(need) === "open") throw needCycle(path, need);
      if (visited.has(need)) continue;
      visited.set(need, "open");
      path.push(visitOf(target));
    }
  }
  return ordered;
}

interface Visit {
  readonly component: DesiredComponent;
  readonly needs: readonly string[];
  next: number;
}

function visitOf(component: DesiredComponent): Visit {
  return { component, needs: [...component.needs].sort(), next: 0 };
}

function byNameOrder(a: DesiredComponent, b: DesiredComponent): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function absentNeed(component: string, need: string) {
  return planProblem("PLAN_NEED_ABSENT", `${component} needs ${need}, which is not part of the app`, {
    hint: `add ${need}, switch on the module that has it, or take it out of the needs of ${component}`,
  });
}

function needCycle(path: readonly Visit[], need: string) {
  const names = path.map((visit) => visit.component.name);
  const circle = [...names.slice(names.indexOf(need)), need];
  return planProblem("PLAN_NEED_CYCLE", "components need each other in a circle", {
    why: circle.join(" needs "),
    hint: "take one of these needs away",
  });
}
