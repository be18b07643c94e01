import type { Component } from "./component.ts";
import { parseCronLine } from "./cron-line.ts";
import type { Path } from "./faults.ts";
import { sizeBytes } from "./primitives.ts";
import type { Subject } from "./subject.ts";

export const COMPONENTS_MAX = 1000;

/** What is wrong inside one component, and ids that two share; two installations of one template in an app have each its own. */
export function checkComponents(subject: Subject): void {
  const ids = new Map<string, string>();
  for (const [name, component] of Object.entries(subject.app.components)) {
    const path = ["components", name];
    if (component.id !== undefined) {
      const identity = `${component.installation ?? ""}/${component.id}`;
      const other = ids.get(identity);
      if (other !== undefined)
        subject.faults.push({
          path: [...path, "id"],
          message: `is the id of \`${other}\` too; ids are never shared`,
        });
      else ids.set(identity, name);
    }
    checkKind(subject, path, component);
    checkReplicas(subject, path, component);
    checkResources(subject, path, component);
    checkMounts(subject, path, component);
    if (typeof component.image === "string" && !isImageReference(component.image))
      subject.faults.push({
        path: [...path, "image"],
        message: `"${component.image}" is not an image reference such as registry/name:tag`,
      });
    if (component.security?.privileged === true)
      subject.warnings.push({
        path: [...path, "security", "privileged"],
        message: "the site must allow privileged components",
      });
  }
  for (const [name, plugin] of Object.entries(subject.app.plugins ?? {})) {
    if (typeof plugin.image === "string" && !isImageReference(plugin.image))
      subject.faults.push({
        path: ["plugins", name, "image"],
        message: `"${plugin.image}" is not an image reference such as registry/name:tag`,
      });
  }
}

function checkKind({ faults, warnings }: Subject, path: Path, component: Component): void {
  const { kind, restart, ports, schedule, scaling } = component;
  if (schedule !== undefined) {
    const parsed = parseCronLine(schedule);
    if (kind !== "cron")
      warnings.push({ path: [...path, "schedule"], message: `has no effect on a ${kind} component` });
    else if ("message" in parsed) faults.push({ path: [...path, "schedule"], message: parsed.message });
  }
  if (kind !== "job" && kind !== "cron") return;
  if (restart === "always")
    faults.push({
      path: [...path, "restart"],
      message: `a ${kind} that is always restarted never completes; use never or on-failure`,
    });
  if (ports !== undefined && Object.keys(ports).length > 0)
    warnings.push({
      path: [...path, "ports"],
      message: `a ${kind} ends by itself; nothing can rely on its ports`,
    });
  if (scaling !== undefined)
    warnings.push({ path: [...path, "scaling"], message: `a ${kind} is not scaled` });
}

function checkReplicas({ faults, warnings }: Subject, path: Path, component: Component): void {
  const { kind, replicas, scaling, resources } = component;
  if (kind === "stateful") {
    const message = "a stateful component has one replica: its instances would write to one volume";
    if ((replicas ?? 1) > 1) faults.push({ path: [...path, "replicas"], message });
    if ((scaling?.max ?? 1) > 1) faults.push({ path: [...path, "scaling", "max"], message });
  }
  if (scaling === undefined) return;
  if (replicas !== undefined && (replicas < scaling.min || replicas > scaling.max))
    faults.push({
      path: [...path, "replicas"],
      message: `is ${replicas}, outside the scaling rule of ${scaling.min} to ${scaling.max}`,
    });
  for (const [target, limit] of [
    ["cpuTarget", "cpu"],
    ["memoryTarget", "memory"],
  ] as const) {
    if (scaling[target] !== undefined && resources?.limit?.[limit] === undefined)
      warnings.push({
        path: [...path, "scaling", target],
        message: `is a percentage of resources.limit.${limit}, which is not given`,
      });
  }
}

function checkResources({ faults }: Subject, path: Path, { resources }: Component): void {
  const { request, limit } = resources ?? {};
  const place = [...path, "resources", "limit"];
  if (request?.cpu !== undefined && limit?.cpu !== undefined && limit.cpu < request.cpu)
    faults.push({
      path: [...place, "cpu"],
      message: `is ${limit.cpu}, less than the request of ${request.cpu}`,
    });
  if (request?.memory === undefined || limit?.memory === undefined) return;
  if (sizeBytes(limit.memory) < sizeBytes(request.memory))
    faults.push({
      path: [...place, "memory"],
      message: `is ${limit.memory}, less than the request of ${request.memory}`,
    });
}

/** Volumes and files have places of their own. */
function checkMounts({ faults }: Subject, path: Path, { volumes, files }: Component): void {
  const taken = new Map<string, string>();
  const take = (mount: string, owner: string, place: Path) => {
    const plain = mount.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
    const other = taken.get(plain);
    if (plain === "/") faults.push({ path: place, message: "the root itself cannot be replaced" });
    else if (other !== undefined)
      faults.push({ path: place, message: `${plain} is already where ${other} is` });
    else taken.set(plain, owner);
  };
  for (const [name, volume] of Object.entries(volumes ?? {}))
    take(volume.path, `the volume \`${name}\``, [...path, "volumes", name, "path"]);
  for (const file of Object.keys(files ?? {})) {
    if (file.endsWith("/"))
      faults.push({ path: [...path, "files", file], message: "names a folder, not a file" });
    else take(file, "a file", [...path, "files", file]);
  }
}

const REFERENCE =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d{1,5})?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

/** A name as engines take it, or an image ID. */
function isImageReference(text: string): boolean {
  return REFERENCE.test(text) || /^sha256:[0-9a-f]{64}$/.test(text);
}
