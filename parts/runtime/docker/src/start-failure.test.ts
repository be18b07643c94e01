import { expect, test } from "vitest";
import type { EngineContainerSummary } from "./engine-types.ts";
import { parseStartFailure, portTaken } from "./start-failure.ts";

const DRIVER = "driver failed programming external connectivity on endpoint x (abc): ";

test.each([
  [`${DRIVER}Bind for 0.0.0.0:8080 failed: port is already allocated`, { kind: "port", port: 8080 }],
  [`${DRIVER}Bind for :::443 failed: port is already allocated`, { kind: "port", port: 443 }],
  [
    `${DRIVER}Error starting userland proxy: listen tcp4 0.0.0.0:8081: bind: address already in use`,
    { kind: "port", port: 8081 },
  ],
  [
    `${DRIVER}failed to bind host port for 0.0.0.0:8082:172.17.0.2:80/tcp: address already in use`,
    { kind: "port", port: 8082 },
  ],
  ["failed to bind host port 0.0.0.0:8083/tcp: address already in use", { kind: "port", port: 8083 }],
  ["rootlessport listen tcp 0.0.0.0:8084: bind: address already in use", { kind: "port", port: 8084 }],
  ["Bind for something failed: port is already allocated", { kind: "port", port: undefined }],
  ["Address already in use", { kind: "address" }],
  ["failed to set up container networking: Address already in use", { kind: "address" }],
  ['requested ip address 10.213.0.2 is already allocated to container ID "x"', { kind: "address" }],
  ['exec: "nope": executable file not found in $PATH', { kind: "other" }],
  ["", { kind: "other" }],
])("%s", (words, failure) => {
  expect(parseStartFailure(words)).toEqual(failure);
});

function holder(labels: Readonly<Record<string, string>>): EngineContainerSummary {
  return {
    Id: "0123456789abcdef",
    Names: ["/nginx"],
    Labels: labels,
    State: "running",
    Ports: [{ PrivatePort: 80, PublicPort: 8080, Type: "tcp" }],
  };
}

const component = {
  name: "web",
  spec: { ports: [{ name: "http", port: 80, protocol: "http", hostPort: 8080 }] },
} as unknown as Parameters<typeof portTaken>[0];

test.each([
  [{ "dev.sampan.component": "shop", "dev.sampan.slug": "team-a" }, "component shop of app team-a"],
  [{}, "container nginx"],
])("it is told who holds a taken port: %j", (labels, words) => {
  const problem = portTaken(component, undefined, [holder(labels)]);
  expect(problem).toMatchObject({ code: "RUNTIME_PORT_TAKEN", message: expect.stringContaining("8080") });
  expect(problem.why).toContain(words);
});

test("a port that no container holds is held by another program", () => {
  expect(portTaken(component, 8081, [holder({})]).why).toContain("another program");
});
