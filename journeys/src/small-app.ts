import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBaseImage } from "./bookshop.ts";
import type { Cargo } from "./cargo.ts";
import { imageIdOf } from "./engine-api.ts";
import { run } from "./processes.ts";
import { seededRandom } from "./seeded-random.ts";

/**
 * An app of three small services, then four: quick to carry and to start, so that it can be killed often. A service is a
 * few lines of Perl on the base image, and some bytes of its own, so that its image takes a moment to move.
 */

const FILLER_BYTES = 3 * 1024 * 1024;

const SERVICE = `#!/usr/bin/perl
use strict; use warnings; use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die "listen: $!";
while (my $client = $server->accept) {
  my $line = <$client> // "";
  while (my $header = <$client>) { last if $header =~ /^\\r?\\n$/ }
  my $text = "$ENV{SERVICE} $ENV{VERSION}\\n";
  print $client "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($text) . "\\r\\nConnection: close\\r\\n\\r\\n$text";
  close $client;
}
`;

const IMAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "1.0": { store: "1.0", api: "1.0", web: "1.0" },
  "2.0": { store: "1.0", api: "2.0", web: "1.0", extra: "2.0" },
};

async function build(dockerHost: string): Promise<void> {
  await buildBaseImage(dockerHost);
  const wanted = new Set(
    Object.values(IMAGES).flatMap((byName) =>
      Object.entries(byName).map(([service, version]) => `${service}:${version}`),
    ),
  );
  for (const name of [...wanted].sort()) await buildService(dockerHost, name);
}

async function buildService(dockerHost: string, name: string): Promise<void> {
  const tag = `sampan-small/${name}`;
  if ((await imageIdOf(dockerHost, tag)) !== undefined) return;
  const [service = "", version = ""] = name.split(":");
  const context = await mkdtemp(join(tmpdir(), "sampan-small-"));
  try {
    await writeFile(join(context, "service"), SERVICE, { mode: 0o755 });
    await writeFile(join(context, "filler"), fillerOf(name));
    const lines = [
      "FROM debian:bookworm-slim",
      "COPY service filler /srv/",
      `ENV SERVICE=${service} VERSION=${version}`,
    ];
    await writeFile(join(context, "Dockerfile"), [...lines, 'CMD ["/srv/service"]', ""].join("\n"));
    await run(["docker", "build", "--tag", tag, context], {
      env: { PATH: process.env.PATH ?? "", HOME: context, DOCKER_HOST: dockerHost, DOCKER_BUILDKIT: "0" },
    });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Bytes that do not compress, the same ones for the same name. */
function fillerOf(name: string): Uint8Array {
  const random = seededRandom([...name].reduce((sum, letter) => sum * 31 + (letter.codePointAt(0) ?? 0), 7));
  return Uint8Array.from({ length: FILLER_BYTES }, () => Math.floor(random() * 256));
}

function textOf(version: string): string {
  const images = IMAGES[version] ?? {};
  const service = (name: string, more: readonly string[]) => [
    `  ${name}:`,
    `    image: sampan-small/${name}:${images[name]}`,
    ...more.map((line) => `    ${line}`),
    "    probes: { ready: { http: { port: 8080, path: / }, period: 1s, timeout: 2s, failures: 30 } }",
    "    stopGrace: 2s",
  ];
  return [
    "apiVersion: sampan/v1",
    "kind: App",
    "name: small",
    `version: "${version}"`,
    "parameters:",
    "  http_port: { type: int, title: HTTP port, default: 8080 }",
    "components:",
    ...service("store", [
      "kind: stateful",
      "volumes: { data: { path: /data, kind: persistent } }",
      "ports: { http: { port: 8080, protocol: http } }",
    ]),
    ...service("api", [
      "kind: stateless",
      "replicas: 2",
      "needs: [store]",
      "ports: { http: { port: 8080, protocol: http } }",
    ]),
    ...service("web", [
      "kind: stateless",
      "needs: [api]",
      "ports: { http: { port: 8080, protocol: http, exposed: true, hostPort: { parameter: http_port } } }",
    ]),
    ...(images.extra === undefined
      ? []
      : service("extra", [
          "kind: stateless",
          "needs: [store]",
          "ports: { http: { port: 8080, protocol: http } }",
        ])),
    "",
  ].join("\n");
}

export const smallApp: Cargo = {
  name: "small",
  versions: ["1.0", "2.0"],
  replicas: { store: 1, api: 2, web: 1, extra: 1 },
  volumes: 1,
  build,
  async text(version, folder) {
    const path = join(folder, `small-${version}.yaml`);
    await writeFile(path, textOf(version));
    return path;
  },
  async images(dockerHost, version) {
    const ids = Object.entries(IMAGES[version] ?? {}).map(async ([service, tag]) => {
      const id = await imageIdOf(dockerHost, `sampan-small/${service}:${tag}`);
      if (id === undefined) throw new Error(`sampan-small/${service}:${tag} is not built`);
      return [service, id] as const;
    });
    return Object.fromEntries(await Promise.all(ids));
  },
};
