import type { Desired } from "@sampan/plan";
import type { Fault } from "@sampan/problem";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

/** What Docker gives every container by itself (moby, oci/caps/defaults.go): asking for one of these asks for nothing special. */
const ORDINARY = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

/** Who may edit an app must not thereby own the machine: rights beyond a container's ordinary ones need the site's consent. */
export function refusePrivileges(parts: Pick<Parts, "allows">, desired: Desired): void {
  if (parts.allows.privileged) return;
  const faults: Fault[] = desired.components.flatMap(({ name, spec: { security } }) => {
    const path = `components.${name}.security`;
    const beyond = security.addCapabilities.filter((one) => !ORDINARY.has(one.replace(/^CAP_/, "")));
    return [
      ...(security.privileged ? [{ path: `${path}.privileged`, message: "would own the machine" }] : []),
      ...beyond.map((one) => ({
        path: `${path}.addCapabilities`,
        message: `${one} is beyond what containers have`,
      })),
    ];
  });
  if (faults.length === 0) return;
  throw deliveryProblem("PRIVILEGES_REFUSED", "the app asks for rights that this site does not give", {
    faults,
    hint: "do without them, or let whoever runs the server set SAMPAN_ALLOW_PRIVILEGED=yes",
  });
}
