import type { AppBody } from "./app.ts";
import type { Path } from "./faults.ts";
import type { Subject } from "./subject.ts";

interface Claim {
  readonly port: number;
  readonly family: "tcp" | "udp";
  readonly path: Path;
  /** Whoever must be on for the port to be taken. */
  readonly components: readonly string[];
}

/** A port of the site can be taken once; a port inside a component too. */
export function checkPorts(subject: Subject): void {
  const claims: Claim[] = [];
  for (const [component, { ports }] of Object.entries(subject.app.components)) {
    const inside = new Map<string, string>();
    for (const [name, { port, protocol, exposed, hostPort }] of Object.entries(ports ?? {})) {
      const family = protocol === "udp" ? "udp" : "tcp";
      const path = ["components", component, "ports", name];
      const other = inside.get(`${port}/${family}`);
      if (other !== undefined)
        subject.faults.push({
          path: [...path, "port"],
          message: `${port}/${family} is already the port \`${other}\``,
        });
      else inside.set(`${port}/${family}`, name);
      if (hostPort !== undefined && exposed !== true)
        subject.warnings.push({
          path: [...path, "hostPort"],
          message: "has no effect without `exposed: true`",
        });
      if (exposed === true && typeof hostPort === "number")
        claims.push({ port: hostPort, family, path: [...path, "hostPort"], components: [component] });
    }
  }
  for (const [route, value] of Object.entries(subject.app.routes ?? {})) {
    if (value.kind !== "tcp" || typeof value.listen !== "number") continue;
    const components = value.to.map((target) => target.component);
    claims.push({ port: value.listen, family: "tcp", path: ["routes", route, "listen"], components });
  }
  reportDoubleClaims(subject, claims);
}

function reportDoubleClaims(subject: Subject, claims: readonly Claim[]): void {
  const byPort = new Map<string, Claim[]>();
  for (const claim of claims) {
    const key = `${claim.port}/${claim.family}`;
    const earlier = byPort.get(key) ?? [];
    const other = earlier.find((one) => !areNeverTogether(subject.app, one.components, claim.components));
    if (other !== undefined)
      subject.faults.push({
        path: claim.path,
        message: `port ${key} of the site is already taken by ${other.path.join(".")}`,
      });
    byPort.set(key, [...earlier.slice(0, 20), claim]);
  }
}

/** Whether modules that conflict keep two sets of components apart, so that both may want the same port. */
function areNeverTogether(app: AppBody, a: readonly string[], b: readonly string[]): boolean {
  const modules = Object.entries(app.modules ?? {});
  const modulesOf = (names: readonly string[]) =>
    modules.filter(([, { components }]) => names.some((name) => components.includes(name)));
  const [left, right] = [modulesOf(a), modulesOf(b)];
  if (left.length === 0 || right.length === 0) return false;
  return left.every(([one, { conflicts }]) =>
    right.every(([other, value]) => conflicts?.includes(other) || value.conflicts?.includes(one)),
  );
}
