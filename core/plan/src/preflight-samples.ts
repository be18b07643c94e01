import { judgePreflight, type PreflightFacts, type PreflightRequirements } from "./index.ts";

/** Samples for tests of this room. */
const GIB = 1024 ** 3;

export const machine: PreflightFacts = {
  engine: "docker",
  engineVersion: "20.10.24",
  apiVersion: "1.41",
  os: "linux",
  architecture: "amd64",
  kernel: "5.10.0-21-amd64",
  cpus: 4,
  memoryBytes: 8 * GIB,
  memoryAvailableBytes: 6 * GIB,
  diskFreeBytes: 100 * GIB,
  holdFreeBytes: 50 * GIB,
  limits: true,
  privilegesAllowed: false,
  takenPorts: [
    { port: 22, protocol: "tcp", by: "sshd" },
    { port: 53, protocol: "udp" },
    { port: 8080, protocol: "tcp", by: "container web-1", app: "app1" },
    { port: 9090, protocol: "tcp", app: "app2" },
  ],
  reservedCpus: 1,
  reservedMemoryBytes: GIB,
};

/** Nothing is known but that there is an engine. */
export const unknownMachine: PreflightFacts = {
  engine: "docker",
  engineVersion: "",
  apiVersion: "",
  os: "",
  architecture: "",
  kernel: "",
  cpus: 0,
  memoryBytes: 0,
  limits: false,
};

export const nothingWanted: PreflightRequirements = {
  app: "app1",
  images: [],
  cpu: { asked: 0 },
  memoryBytes: { asked: 0 },
  disk: { dataBytes: 0, imageBytes: 0, unknownImages: [] },
  ports: [],
  limited: [],
  privileged: [],
};

export interface PreflightRow {
  readonly wanted?: Partial<PreflightRequirements>;
  readonly facts?: Partial<PreflightFacts>;
}

/** State, what was found and what was wanted of one check, `absent` when there is no such row. */
export function checkText(id: string, { wanted, facts }: PreflightRow): string {
  const checks = judgePreflight({ ...nothingWanted, ...wanted }, { ...machine, ...facts });
  const row = checks.find((one) => one.id === id);
  return row === undefined ? "absent" : `${row.state}: ${row.found} | ${row.wanted}`;
}
