import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  judgePreflight,
  type PreflightCheck,
  type PreflightFacts,
  type PreflightRequirements,
  preflightVerdict,
  renderPreflight,
} from "./index.ts";
import {
  checkText,
  machine,
  nothingWanted,
  type PreflightRow as Row,
  unknownMachine,
} from "./preflight-samples.ts";

const GIB = 1024 ** 3;

const amd64 = { name: "shop/web:1", os: "linux", architecture: "amd64" };
const arm64 = { name: "shop/db:1", os: "linux", architecture: "arm64" };

const ARCHITECTURE: readonly [string, Row, string][] = [
  ["nothing declared, no image", {}, "pass: linux/amd64 | nothing in particular"],
  [
    "declared and there",
    { wanted: { architectures: ["arm64", "amd64"] } },
    "pass: linux/amd64 | arm64 or amd64",
  ],
  ["declared and another", { wanted: { architectures: ["arm64"] } }, "fail: linux/amd64 | arm64"],
  ["images fit", { wanted: { images: [amd64] } }, "pass: linux/amd64 | linux/amd64"],
  [
    "one image of several does not fit",
    { wanted: { images: [amd64, arm64] } },
    "fail: linux/amd64 | linux/amd64 or linux/arm64",
  ],
  [
    "declared fits, an image does not",
    { wanted: { architectures: ["amd64"], images: [arm64] } },
    "fail: linux/amd64 | amd64",
  ],
  [
    "images of another system",
    { wanted: { images: [{ ...amd64, os: "windows" }] } },
    "fail: linux/amd64 | windows/amd64",
  ],
  [
    "an image of which nothing is known",
    { wanted: { images: [{ name: "x" }] } },
    "warn: linux/amd64 | nothing in particular",
  ],
  [
    "a machine of which nothing is known",
    { wanted: { images: [amd64] }, facts: { architecture: "" } },
    "warn: not known | linux/amd64",
  ],
  [
    "a system of which nothing is known",
    { wanted: { images: [amd64] }, facts: { os: "" } },
    "pass: amd64 | linux/amd64",
  ],
];

const VERSIONS: readonly [string, string, Row, string][] = [
  ["engine", "nothing declared", {}, "pass: docker 20.10.24 (API 1.41) | nothing in particular"],
  [
    "engine",
    "just enough",
    { wanted: { engineApi: "1.41" } },
    "pass: docker 20.10.24 (API 1.41) | API 1.41 or newer",
  ],
  [
    "engine",
    "1.9 is older than 1.41",
    { wanted: { engineApi: "1.9" } },
    "pass: docker 20.10.24 (API 1.41) | API 1.9 or newer",
  ],
  [
    "engine",
    "too old",
    { wanted: { engineApi: "1.43" } },
    "fail: docker 20.10.24 (API 1.41) | API 1.43 or newer",
  ],
  [
    "engine",
    "not known",
    { wanted: { engineApi: "1.43" }, facts: { apiVersion: "" } },
    "warn: docker 20.10.24 (API not known) | API 1.43 or newer",
  ],
  [
    "engine",
    "no version",
    { wanted: { engineApi: "1.43" }, facts: { apiVersion: "next" } },
    "warn: docker 20.10.24 (API next) | API 1.43 or newer",
  ],
  ["kernel", "nothing declared", { facts: { kernel: "" } }, "pass: not known | nothing in particular"],
  ["kernel", "5.9 is older than 5.10", { wanted: { kernel: "5.9" } }, "pass: 5.10.0-21-amd64 | 5.9 or newer"],
  ["kernel", "the same", { wanted: { kernel: "5.10.0" } }, "pass: 5.10.0-21-amd64 | 5.10.0 or newer"],
  ["kernel", "too old", { wanted: { kernel: "5.10.1" } }, "fail: 5.10.0-21-amd64 | 5.10.1 or newer"],
  [
    "kernel",
    "not known",
    { wanted: { kernel: "5.4" }, facts: { kernel: "" } },
    "warn: not known | 5.4 or newer",
  ],
];

const RIGHTS: readonly [string, string, Row, string][] = [
  ["limits", "none wanted", {}, "pass: enforced | nothing in particular"],
  [
    "limits",
    "none wanted, none enforced",
    { facts: { limits: false } },
    "pass: not enforced | nothing in particular",
  ],
  ["limits", "wanted and enforced", { wanted: { limited: ["web"] } }, "pass: enforced | enforced, for web"],
  [
    "limits",
    "wanted and not enforced",
    { wanted: { limited: ["web"] }, facts: { limits: false } },
    "warn: not enforced | enforced, for web",
  ],
  ["privileged", "nobody asks", {}, "absent"],
  [
    "privileged",
    "not allowed",
    { wanted: { privileged: ["probe"] } },
    "fail: not allowed | allowed, for probe",
  ],
  [
    "privileged",
    "allowed",
    { wanted: { privileged: ["probe"] }, facts: { privilegesAllowed: true } },
    "pass: allowed | allowed, for probe",
  ],
  [
    "privileged",
    "not known",
    { wanted: { privileged: ["probe"] }, facts: { privilegesAllowed: undefined } },
    "warn: not known | allowed, for probe",
  ],
];

const port = (
  number: number,
  protocol: "tcp" | "udp",
  more: { component?: string; held?: boolean } = {},
) => ({
  wanted: { ports: [{ port: number, protocol, held: false, ...more }] },
});

const PORTS: readonly [string, string, Row, string][] = [
  ["port:80/tcp", "free", port(80, "tcp", { component: "web" }), "pass: free | free, for web"],
  ["port:22/tcp", "somebody else's", port(22, "tcp"), "fail: sshd listens on it | free, as the app declares"],
  ["port:22/udp", "the other protocol", port(22, "udp"), "pass: free | free, as the app declares"],
  [
    "port:53/udp",
    "nobody knows whose",
    port(53, "udp"),
    "fail: something else listens on it | free, as the app declares",
  ],
  [
    "port:9090/tcp",
    "another app's",
    port(9090, "tcp"),
    "fail: the app app2 listens on it | free, as the app declares",
  ],
  [
    "port:8080/tcp",
    "the app's own, as the engine says",
    port(8080, "tcp"),
    "pass: held by this app itself | free, as the app declares",
  ],
  [
    "port:22/tcp",
    "the app's own, as its instances say",
    port(22, "tcp", { held: true }),
    "pass: held by this app itself | free, as the app declares",
  ],
  [
    "port:80/tcp",
    "not known",
    { ...port(80, "tcp"), facts: { takenPorts: undefined } },
    "warn: not known | free, as the app declares",
  ],
  [
    "port:8080/tcp",
    "the app's own, and somebody else's on another address",
    {
      ...port(8080, "tcp"),
      facts: {
        takenPorts: [
          { port: 8080, protocol: "tcp", app: "app1" },
          { port: 8080, protocol: "tcp", by: "nginx" },
        ],
      },
    },
    "fail: nginx listens on it | free, as the app declares",
  ],
];

describe("preflight", () => {
  test.each(ARCHITECTURE)("architecture: %s", (_, row, text) => {
    expect(checkText("architecture", row)).toBe(text);
  });

  test.each([...VERSIONS, ...RIGHTS, ...PORTS])("%s: %s", (id, _, row, text) => {
    expect(checkText(id, row)).toBe(text);
  });

  const everything: PreflightRequirements = {
    ...nothingWanted,
    architectures: ["amd64"],
    images: [amd64],
    engineApi: "1.41",
    kernel: "5.4",
    cpu: { declared: 1, asked: 0.5 },
    memoryBytes: { declared: GIB, asked: 0 },
    disk: { dataBytes: GIB, imageBytes: GIB, unknownImages: [] },
    capture: { sizeBytes: 1 },
    ports: [{ port: 80, protocol: "tcp", held: false }],
    limited: ["web"],
    privileged: ["web"],
  };

  test("what is not known is never passed over in silence", () => {
    const checks = judgePreflight(everything, unknownMachine);
    expect(checks.map((one) => `${one.id} ${one.state}`)).toEqual([
      "architecture warn",
      "engine warn",
      "kernel warn",
      "cpu warn",
      "memory warn",
      "disk warn",
      "snapshot warn",
      "limits warn",
      "privileged warn",
      "port:80/tcp warn",
    ]);
  });

  test("whatever the facts, each check says what was found, and a way out where there is something wrong", () => {
    const text = fc.constantFrom("", "amd64", "5.10", "x");
    const amount = fc.option(fc.oneof(fc.double(), fc.integer()), { nil: undefined });
    const facts: fc.Arbitrary<PreflightFacts> = fc.record({
      engine: text,
      engineVersion: text,
      apiVersion: text,
      os: text,
      architecture: text,
      kernel: text,
      cpus: fc.double(),
      memoryBytes: fc.double(),
      memoryAvailableBytes: amount,
      diskFreeBytes: amount,
      holdFreeBytes: amount,
      limits: fc.boolean(),
      reservedCpus: amount,
      reservedMemoryBytes: amount,
    });
    fc.assert(
      fc.property(facts, (given) => {
        for (const one of judgePreflight(everything, given)) {
          expect(one.found).not.toMatch(/NaN|undefined|Infinity|^$/);
          expect(one.wanted).not.toBe("");
          expect(one.remedy !== undefined).toBe(one.state !== "pass");
          expect(one.remedy ?? "Nothing.").toMatch(/^[A-Z].*\.$/);
        }
      }),
    );
  });

  test("ids are unique, also with many ports", () => {
    const ports = [80, 81, 82].flatMap((number) => [
      { port: number, protocol: "tcp" as const, held: false },
      { port: number, protocol: "udp" as const, held: false },
    ]);
    const ids = judgePreflight({ ...everything, ports }, machine).map((one) => one.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each([
    [[], "pass"],
    [["pass", "pass"], "pass"],
    [["pass", "warn"], "warn"],
    [["warn", "fail", "pass"], "fail"],
  ] as const)("of %j the verdict is %s", (states, verdict) => {
    const checks = states.map(
      (state): PreflightCheck => ({ id: "", title: "", state, found: "", wanted: "" }),
    );
    expect(preflightVerdict(checks)).toBe(verdict);
  });

  test("as text, what is worst comes first", () => {
    const ports = [
      { port: 22, protocol: "tcp" as const, component: "web", held: false },
      { port: 80, protocol: "tcp" as const, held: false },
    ];
    const wanted = { ...everything, ports, privileged: [], memoryBytes: { declared: 7.5 * GIB, asked: 0 } };
    expect(renderPreflight(judgePreflight(wanted, machine))).toMatchInlineSnapshot(`
      "preflight: 1 fail, 1 warn, 8 pass
        fail  Port 22/tcp               sshd listens on it                       wanted: free, for web                     → Stop what listens on it, or choose another port for web.
        warn  Memory                    8 GiB, 7 GiB left beside other apps      wanted: 7.5 GiB, as the app declares      → Stop other apps or run fewer replicas, or give the machine more memory.
        pass  Architecture              linux/amd64                              wanted: amd64
        pass  Container engine          docker 20.10.24 (API 1.41)               wanted: API 1.41 or newer
        pass  Kernel                    5.10.0-21-amd64                          wanted: 5.4 or newer
        pass  Processor cores           4 cores, 3 cores left beside other apps  wanted: 1 core, as the app declares
        pass  Disk                      100 GiB free                             wanted: 1 GiB for data, 1 GiB for images
        pass  Space for data snapshots  50 GiB free                              wanted: 1 B, as measured last
        pass  Limits                    enforced                                 wanted: enforced, for web
        pass  Port 80/tcp               free                                     wanted: free, as the app declares
      "
    `);
    expect(renderPreflight([])).toBe("preflight: nothing was looked at\n");
  });
});
