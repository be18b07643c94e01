import { digestFromHex } from "@sampan/content";
import type { Preflight } from "@sampan/template";
import { describe, expect, test } from "vitest";
import { type DesiredComponent, type PreflightContent, requirementsOf } from "./index.ts";
import { type ComponentSample, component, desiredOf } from "./planning-samples.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

function check(
  components: readonly DesiredComponent[],
  { preflight, ...content }: Partial<PreflightContent> & { readonly preflight?: Preflight } = {},
) {
  const body = preflight === undefined ? {} : { preflight };
  return requirementsOf(desiredOf(components), body, { images: [], ...content });
}

function asking(
  name: string,
  sample: ComponentSample & {
    readonly cpu?: number;
    readonly memoryBytes?: number;
    readonly limits?: DesiredComponent["spec"]["limits"];
    readonly privileged?: boolean;
    readonly udp?: boolean;
  },
): DesiredComponent {
  const { cpu, memoryBytes, limits = {}, privileged = false, udp = false } = sample;
  const made = component(name, sample);
  return {
    ...made,
    spec: {
      ...made.spec,
      requests: { ...(cpu && { cpu }), ...(memoryBytes && { memoryBytes }) },
      limits,
      ports: made.spec.ports.map((port) => ({ ...port, protocol: udp ? "udp" : port.protocol })),
      security: { ...made.spec.security, privileged },
    },
  };
}

function image(hex: string, more: Partial<PreflightContent["images"][number]> = {}) {
  return { id: digestFromHex(hex.repeat(64)), name: `image-${hex}`, inEngine: false, ...more };
}

describe("what an app needs of a site", () => {
  test("is nothing in particular when it has no component", () => {
    expect(check([])).toEqual({
      app: "app1",
      images: [],
      cpu: { asked: 0 },
      memoryBytes: { asked: 0 },
      disk: { dataBytes: 0, imageBytes: 0, unknownImages: [] },
      ports: [],
      limited: [],
      privileged: [],
    });
  });

  test("is what every instance asks for, of cron components one, of stopped ones none", () => {
    const components = [
      asking("api", { cpu: 0.1, memoryBytes: 256 * MIB, replicas: 3 }),
      asking("db", { kind: "stateful", cpu: 1, memoryBytes: GIB }),
      asking("report", { kind: "cron", cpu: 0.5, memoryBytes: 128 * MIB }),
      asking("off", { cpu: 8, memoryBytes: 8 * GIB, replicas: 0, limits: { cpu: 9 }, privileged: true }),
      asking("modest", {}),
    ];
    expect(check(components)).toMatchObject({
      cpu: { asked: 1.8 },
      memoryBytes: { asked: (3 * 256 + 1024 + 128) * MIB },
      limited: [],
      privileged: [],
    });
  });

  test("is what it declares", () => {
    const preflight: Preflight = {
      architectures: ["arm64"],
      cpu: 2,
      memory: "4GiB",
      disk: "20GiB",
      engineApi: "1.41",
      kernel: "5.10",
    };
    expect(check([], { preflight })).toMatchObject({
      architectures: ["arm64"],
      cpu: { declared: 2, asked: 0 },
      memoryBytes: { declared: 4 * GIB, asked: 0 },
      disk: { dataBytes: 20 * GIB },
      engineApi: "1.41",
      kernel: "5.10",
    });
  });

  test.each([
    ["20GiB", undefined, 20],
    ["20GiB", "20GiB", 0],
    ["30GiB", "20GiB", 10],
    ["20GiB", "30GiB", 0],
    [undefined, "30GiB", 0],
  ])("of a declared disk of %s, after one of %s, %i GiB are still needed", (now, before, needed) => {
    const [preflight, declaredBefore] = [now, before].map((disk) => (disk === undefined ? {} : { disk }));
    const { disk } = check([], { preflight: preflight ?? {}, declaredBefore });
    expect(disk.dataBytes).toBe(needed * GIB);
  });

  test("are the images that the engine lacks, each once, with a margin; those of unknown size by name", () => {
    const components = [
      component("api", { image: "a" }),
      component("worker", { image: "a" }),
      component("db", { image: "b" }),
      component("cache", { image: "c" }),
      component("odd", { image: "d" }),
      component("off", { image: "e", replicas: 0 }),
    ];
    const images = [
      image("a", { sizeBytes: 1000, architecture: "amd64" }),
      image("b", { sizeBytes: 5000, architecture: "arm64", os: "linux", inEngine: true }),
      image("c", {}),
      image("e", { sizeBytes: 7000 }),
      image("f", { sizeBytes: 9000 }),
    ];
    const wanted = check(components, { images });
    expect(wanted.disk).toEqual({
      dataBytes: 0,
      imageBytes: 1200,
      unknownImages: ["image-c", "shop/odd:1"],
    });
    expect(wanted.images.map((one) => `${one.name} ${one.architecture}`)).toEqual([
      "image-a amd64",
      "image-b arm64",
      "image-c undefined",
      "shop/odd:1 undefined",
    ]);
  });

  test("are ports of the machine, in order, each once, those that it holds already marked", () => {
    const components = [
      asking("web", { hostPort: 8080 }),
      asking("dns", { hostPort: 53, udp: true }),
      asking("free", { hostPort: 0 }),
      asking("off", { hostPort: 9999, replicas: 0 }),
    ];
    const preflight = { freePorts: [8080, 53, 25] };
    const portsHeld = [
      { port: 8080, protocol: "tcp" as const },
      { port: 53, protocol: "tcp" as const },
    ];
    expect(check(components, { preflight, portsHeld }).ports).toEqual([
      { port: 25, protocol: "tcp", held: false },
      { port: 53, protocol: "tcp", held: true },
      { port: 53, protocol: "udp", component: "dns", held: false },
      { port: 8080, protocol: "tcp", component: "web", held: true },
    ]);
  });

  test("are limits, rights and room for captured data", () => {
    const components = [
      asking("web", { limits: { processes: 10 } }),
      asking("probe", { privileged: true, limits: { memoryBytes: 1 } }),
    ];
    expect(check(components, { capture: { sizeBytes: 7 } })).toMatchObject({
      limited: ["web", "probe"],
      privileged: ["probe"],
      capture: { sizeBytes: 7 },
    });
    expect(check(components, { capture: {} }).capture).toEqual({});
  });
});
