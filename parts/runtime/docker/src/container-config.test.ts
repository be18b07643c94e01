import type { DesiredComponent, InstanceSpec } from "@sampan/plan";
import { expect, test } from "vitest";
import { chooseInit, containerBody, type InstancePlace } from "./container-config.ts";
import type { EngineImage } from "./engine-types.ts";

const DIGEST = `sha256:${"a".repeat(64)}` as const;
const SECURITY = { addCapabilities: [], dropCapabilities: [], readOnlyRoot: false, privileged: false };
const PLACE: InstancePlace = {
  labels: { "dev.sampan.app": "app-1" },
  network: "sampan-shop",
  address: "10.213.0.5",
  aliases: ["web", "web-1"],
  volumeName: ({ owner, volume }) => `v-${owner}-${volume}`,
  boundFiles: [],
  init: "engine",
};

function specWith(over: Partial<InstanceSpec>): InstanceSpec {
  return {
    image: { id: DIGEST, name: "web:1" },
    env: {},
    secretEnv: [],
    files: [],
    mounts: [],
    ports: [],
    probes: {},
    limits: {},
    requests: {},
    restart: "always",
    labels: {},
    stopGraceMs: 1500,
    security: SECURITY,
    ...over,
  };
}

function bodyOf(over: Partial<InstanceSpec>, place: Partial<InstancePlace> = {}): unknown {
  const component = { name: "web", spec: specWith(over) } as DesiredComponent;
  return containerBody(component, 2, { ...PLACE, ...place });
}

test("an ordinary instance is hardened, has a fixed address and does not check itself", () => {
  expect(bodyOf({})).toMatchObject({
    Image: DIGEST,
    Hostname: "web-2",
    StopTimeout: 2,
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: "sampan-shop",
      RestartPolicy: { Name: "unless-stopped" },
      Privileged: false,
      ReadonlyRootfs: false,
      SecurityOpt: ["no-new-privileges"],
      CapAdd: [],
      CapDrop: ["MKNOD", "NET_RAW"],
      Init: true,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
    NetworkingConfig: {
      EndpointsConfig: {
        "sampan-shop": { IPAMConfig: { IPv4Address: "10.213.0.5" }, Aliases: ["web", "web-1"] },
      },
    },
  });
});

test("command and arguments override those of the image only when they are given", () => {
  expect(bodyOf({})).not.toHaveProperty("Entrypoint");
  expect(bodyOf({})).not.toHaveProperty("Cmd");
  expect(bodyOf({ command: ["/bin/a"], args: ["b"] })).toMatchObject({ Entrypoint: ["/bin/a"], Cmd: ["b"] });
});

test("an app's own labels cannot pose as Sampan's", () => {
  const labels = { "dev.sampan.app": "another", mine: "yes" };
  expect(bodyOf({ labels })).toMatchObject({ Labels: { "dev.sampan.app": "app-1", mine: "yes" } });
});

test.each([
  [
    { limits: { cpu: 0.5, memoryBytes: 1000, processes: 50 } },
    { NanoCpus: 500_000_000, Memory: 1000, MemorySwap: 1000, PidsLimit: 50 },
  ],
  [{ requests: { cpu: 0.25, memoryBytes: 800 } }, { CpuShares: 256, MemoryReservation: 800 }],
  [
    { requests: { memoryBytes: 800 }, limits: { memoryBytes: 500 } },
    { Memory: 500, MemoryReservation: 500 },
  ],
  [{ requests: { cpu: 0.001 } }, { CpuShares: 2 }],
  [{ restart: "never" }, { RestartPolicy: { Name: "no" } }],
  [{ restart: "on-failure" }, { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 0 } }],
  [
    { mounts: [{ kind: "volume", owner: "db", volume: "data", path: "/data", readOnly: true }] },
    { Mounts: [{ Type: "volume", Source: "v-db-data", Target: "/data", ReadOnly: true }] },
  ],
  [
    {
      mounts: [
        { kind: "memory", path: "/a", sizeBytes: 1024 },
        { kind: "memory", path: "/b" },
      ],
    },
    { Tmpfs: { "/a": "size=1024", "/b": "" } },
  ],
  [
    {
      ports: [
        { name: "a", port: 80, protocol: "http", hostPort: 8080 },
        { name: "b", port: 80, protocol: "tcp", hostPort: 8081 },
        { name: "c", port: 53, protocol: "udp", hostPort: 0 },
        { name: "d", port: 81, protocol: "tcp" },
      ],
    },
    {
      PortBindings: { "80/tcp": [{ HostPort: "8080" }, { HostPort: "8081" }], "53/udp": [{ HostPort: "0" }] },
    },
  ],
  [
    { security: { ...SECURITY, addCapabilities: ["cap_net_raw"], dropCapabilities: ["CHOWN"] } },
    { CapAdd: ["NET_RAW"], CapDrop: ["MKNOD", "CHOWN"] },
  ],
  [
    { security: { ...SECURITY, privileged: true, readOnlyRoot: true } },
    { Privileged: true, ReadonlyRootfs: true, SecurityOpt: [], CapDrop: [] },
  ],
] as const)("%j", (over, expected) => {
  expect(bodyOf(over as Partial<InstanceSpec>)).toMatchObject({ HostConfig: expected });
});

test("bound files are read-only mounts", () => {
  const boundFiles = [{ source: "/var/lib/x/1", path: "/etc/app:odd.conf" }];
  expect(bodyOf({}, { boundFiles })).toMatchObject({
    HostConfig: {
      Mounts: [{ Type: "bind", Source: "/var/lib/x/1", Target: "/etc/app:odd.conf", ReadOnly: true }],
    },
  });
});

test.each([
  [{}, { Entrypoint: ["/app"] }, "docker-init", "engine"],
  [{}, { Entrypoint: null, Cmd: ["nginx"] }, "docker-init", "engine"],
  [{}, { Entrypoint: ["/app"] }, "", "none"],
  [{}, { Entrypoint: ["/app"] }, undefined, "none"],
  [{}, { Entrypoint: ["/init"] }, "docker-init", "none"],
  [{}, { Entrypoint: ["/usr/bin/tini", "--", "/app"] }, "docker-init", "none"],
  [{}, { Cmd: ["/lib/systemd/systemd"] }, "docker-init", "none"],
  [{ command: ["/app"] }, { Entrypoint: ["/init"] }, "docker-init", "engine"],
  [{ command: ["/sbin/init"] }, { Entrypoint: ["/app"] }, "docker-init", "none"],
  [{}, { Entrypoint: ["/opt/initdb"] }, "docker-init", "engine"],
] as const)("with %j, image %j and the engine's %j, the init is %s", (over, config, engineInit, chosen) => {
  const image = { Config: config } as unknown as EngineImage;
  expect(chooseInit(specWith(over as Partial<InstanceSpec>), image, engineInit)).toBe(chosen);
});
