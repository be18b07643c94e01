import type { Component } from "./component.ts";
import { at, type Path } from "./faults.ts";
import { durationMs } from "./primitives.ts";
import { exists, listedIn, mustExist, namesIn, type Subject } from "./subject.ts";

/** What a component says of its data must be about data that it has. */
export function checkSnapshots(subject: Subject): void {
  for (const [name, component] of Object.entries(subject.app.components)) {
    const { snapshot } = component;
    if (snapshot === undefined) continue;
    const path = ["components", name];
    const place = [...path, "snapshot"];
    const volumes = [...path, "volumes"];
    if (namesIn(subject, volumes).every((volume) => lackOf(subject, [...volumes, volume]) !== undefined))
      subject.faults.push({
        path: place,
        message: "the component has no volume of its own that lasts, so it has no data to capture",
      });
    else checkVolumes(subject, path);
    checkCommands(subject, place, component);
    if (snapshot.within !== undefined && durationMs(snapshot.within) === 0)
      subject.faults.push({
        path: [...place, "within"],
        message: `"${snapshot.within}" leaves no time to capture anything`,
      });
  }
}

function checkVolumes(subject: Subject, path: Path): void {
  const section = [...path, "volumes"];
  const list = [...path, "snapshot", "volumes"];
  const seen = new Set<string>();
  for (const [index, volume] of listedIn(subject, list)) {
    const place = [...list, index];
    if (!mustExist(subject, { path: place, noun: "volume", section, name: volume })) continue;
    const lack = lackOf(subject, [...section, volume]);
    if (lack !== undefined) subject.faults.push({ path: place, message: `\`${volume}\` ${lack}` });
    else if (seen.has(volume))
      subject.warnings.push({ path: place, message: `\`${volume}\` is listed twice` });
    seen.add(volume);
  }
}

/** Why a volume is not data of its component; undefined when it is, or when what was written does not tell. */
function lackOf(subject: Subject, volume: Path): string | undefined {
  if (at(subject.written, [...volume, "kind"]) === "memory")
    return "is in memory: only what lasts can be captured";
  if (exists(subject, [...volume, "from"])) return "belongs to another component: capture it there";
  return undefined;
}

function checkCommands({ faults, warnings }: Subject, path: Path, { kind, snapshot }: Component): void {
  if (snapshot?.after !== undefined && snapshot.before === undefined)
    faults.push({
      path: [...path, "after"],
      message: "undoes what `before` did, and there is no `before`: without it, the component is stopped",
    });
  if (kind !== "job" && kind !== "cron") return;
  for (const command of ["before", "restored"] as const)
    if (snapshot?.[command] !== undefined)
      warnings.push({
        path: [...path, command],
        message: `has no effect on a ${kind}: it is run where something is ready, and a ${kind} never is`,
      });
}
