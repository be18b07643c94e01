import { at, own, type Path } from "./faults.ts";
import { exists, listedIn, mustExist, namesIn, type Subject } from "./subject.ts";

/** Everything that names something else must name something that is there. Needs and variables have their own checks. */
export function checkReferences(subject: Subject): void {
  for (const module of namesIn(subject, ["modules"])) checkModule(subject, module);
  for (const [name, component] of Object.entries(subject.app.components)) {
    for (const [binding, { plugin }] of Object.entries(component.plugins ?? {})) {
      const path = ["components", name, "plugins", binding, "plugin"];
      mustExist(subject, { path, noun: "plugin", section: ["plugins"], name: plugin });
    }
    for (const volume of Object.keys(component.volumes ?? {})) checkVolumeOwner(subject, name, volume);
  }
  for (const route of namesIn(subject, ["routes"])) {
    const path = ["routes", route, "to"];
    for (const index of indices(subject, path))
      checkPort(subject, [...path, index], routeProtocols(subject, route));
  }
  for (const index of indices(subject, ["acceptance"])) {
    const path = ["acceptance", index];
    checkPort(subject, [...path, "http"], ["http", "tcp"]);
    checkPort(subject, [...path, "tcp"], ["http", "tcp"]);
    const component = at(subject.written, [...path, "exec", "component"]);
    const place = [...path, "exec", "component"];
    mustExist(subject, { path: place, noun: "component", section: ["components"], name: component });
  }
}

function indices({ written }: Subject, path: Path): number[] {
  const list = at(written, path);
  return Array.isArray(list) ? [...list.keys()] : [];
}

function checkModule(subject: Subject, module: string): void {
  const path = ["modules", module];
  for (const [index, name] of listedIn(subject, [...path, "components"]))
    mustExist(subject, {
      path: [...path, "components", index],
      noun: "component",
      section: ["components"],
      name,
    });
  for (const list of ["requires", "conflicts"]) {
    for (const [index, name] of listedIn(subject, [...path, list])) {
      const place = [...path, list, index];
      if (name === module) subject.faults.push({ path: place, message: "a module cannot name itself here" });
      else mustExist(subject, { path: place, noun: "module", section: ["modules"], name });
    }
  }
  const conflicts = listedIn(subject, [...path, "conflicts"]).map(([, name]) => name);
  for (const [index, name] of listedIn(subject, [...path, "requires"])) {
    if (conflicts.includes(name))
      subject.faults.push({
        path: [...path, "requires", index],
        message: `\`${name}\` is required and conflicts too`,
      });
  }
}

/** `from` names the component whose volume of the same name is mounted. */
function checkVolumeOwner(subject: Subject, component: string, volume: string): void {
  const { kind, from } = own(own(subject.app.components, component)?.volumes, volume) ?? {};
  if (from === undefined) return;
  const path = ["components", component, "volumes", volume, "from"];
  if (kind !== "shared") {
    subject.faults.push({
      path,
      message: `only a volume of kind shared can come from another component; this is ${kind}`,
    });
    return;
  }
  if (from === component) subject.faults.push({ path, message: "is the component itself: leave it out" });
  else if (mustExist(subject, { path, noun: "component", section: ["components"], name: from })) {
    const owned = ["components", from, "volumes", volume];
    if (!exists(subject, owned))
      subject.faults.push({ path, message: `\`${from}\` has no volume \`${volume}\`` });
    else if (at(subject.written, [...owned, "kind"]) === "memory")
      subject.faults.push({
        path,
        message: `the volume \`${volume}\` of \`${from}\` is in memory and cannot be shared`,
      });
    else if (exists(subject, [...owned, "from"]))
      subject.faults.push({
        path,
        message: `\`${from}\` does not own \`${volume}\`: name the component that does`,
      });
  }
}

function routeProtocols(subject: Subject, route: string): readonly string[] {
  return at(subject.written, ["routes", route, "kind"]) === "http" ? ["http"] : ["http", "tcp"];
}

/** What stands at `path` names a component and one of its ports, by name. */
function checkPort(subject: Subject, path: Path, protocols: readonly string[]): void {
  const component = at(subject.written, [...path, "component"]);
  const port = at(subject.written, [...path, "port"]);
  if (typeof component !== "string") return;
  const section = ["components", component, "ports"];
  if (
    !mustExist(subject, {
      path: [...path, "component"],
      noun: "component",
      section: ["components"],
      name: component,
    })
  )
    return;
  const place = [...path, "port"];
  if (!mustExist(subject, { path: place, noun: `port of \`${component}\` named`, section, name: port }))
    return;
  const protocol = at(subject.written, [...section, String(port), "protocol"]);
  if (typeof protocol !== "string" || !["http", "tcp", "udp"].includes(protocol)) return;
  if (!protocols.includes(protocol))
    subject.faults.push({
      path: place,
      message: `speaks ${protocol}; ${protocols.join(" or ")} is needed here`,
    });
}
