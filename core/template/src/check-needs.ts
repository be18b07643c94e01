import { at } from "./faults.ts";
import { listedIn, mustExist, namesIn, type Subject } from "./subject.ts";

/** Needs must exist, be something that can become ready, and have no cycle. */
export function checkNeeds(subject: Subject): void {
  const graph = new Map<string, string[]>();
  for (const component of namesIn(subject, ["components"])) {
    const path = ["components", component, "needs"];
    const needs: string[] = [];
    for (const [index, needed] of listedIn(subject, path)) {
      const place = [...path, index];
      const isThere = mustExist(subject, {
        path: place,
        noun: "component",
        section: ["components"],
        name: needed,
      });
      if (needs.includes(needed))
        subject.warnings.push({ path: place, message: `\`${needed}\` is listed twice` });
      else if (isThere && at(subject.written, ["components", needed, "kind"]) === "cron")
        subject.faults.push({
          path: place,
          message: `\`${needed}\` is a cron component: it is never ready, so nothing can need it`,
        });
      else if (isThere) needs.push(needed);
    }
    graph.set(component, needs);
  }
  for (const cycle of findCycles(graph)) {
    const text = [...cycle, cycle[0]].join(" → ");
    const message =
      cycle.length === 1
        ? `\`${cycle[0]}\` needs itself`
        : `these need each other, so none can start first: ${text}`;
    subject.faults.push({ path: ["components", cycle[0]!, "needs"], message });
  }
  warnOfOtherModules(subject, graph);
}

/** Cycles of a graph, at least one for each knot, each as its nodes in order. Chains may be long, so it does not recurse. */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const start of graph.keys()) {
    const trail = [{ node: start, next: 0 }];
    const onTrail = new Set([start]);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const node = done.has(top.node) ? undefined : graph.get(top.node)?.[top.next++];
      if (node === undefined) {
        done.add(top.node);
        onTrail.delete(top.node);
        trail.pop();
      } else if (onTrail.has(node)) {
        cycles.push(trail.slice(trail.findIndex((step) => step.node === node)).map((step) => step.node));
      } else if (!done.has(node)) {
        trail.push({ node, next: 0 });
        onTrail.add(node);
      }
    }
  }
  return cycles;
}

function warnOfOtherModules(subject: Subject, graph: ReadonlyMap<string, readonly string[]>): void {
  const modulesOf = new Map<string, string[]>();
  for (const [module, { components }] of Object.entries(subject.app.modules ?? {})) {
    for (const name of components) modulesOf.set(name, [...(modulesOf.get(name) ?? []), module]);
  }
  const closures = new Map(
    [...modulesOf.values()].flat().map((module) => [module, closureOf(subject, module)]),
  );
  for (const [component, needs] of graph) {
    const ownModules = modulesOf.get(component) ?? [];
    for (const needed of needs) {
      const among = modulesOf.get(needed) ?? [];
      const comesAlong =
        ownModules.length > 0 &&
        ownModules.every((module) => among.some((one) => closures.get(module)?.has(one)));
      if (among.length === 0 || comesAlong) continue;
      subject.warnings.push({
        path: ["components", component, "needs"],
        message: `\`${needed}\` is only in module \`${among[0]}\`: while \`${component}\` is on, that module is pulled in`,
      });
    }
  }
}

/** A module and all that it requires, directly or further on. */
function closureOf(subject: Subject, module: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [module];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...listedIn(subject, ["modules", next, "requires"]).map(([, name]) => name));
  }
  return seen;
}
