import assert from "node:assert/strict";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import type { Place } from "./place.ts";
import { run } from "./processes.ts";

/** Tries to get out of a network, and says how each attempt ended. Plain text of a program: it runs in containers too. */
const PROBE = `
const net = require("node:net");
const dns = require("node:dns").promises;
const dial = (host, port) => new Promise((resolve) => {
  const socket = net.connect({ host, port, timeout: 3000 });
  const end = (outcome) => { socket.destroy(); resolve([host + ":" + port, outcome]); };
  socket.on("connect", () => end("CONNECTED"));
  socket.on("timeout", () => end("TIMEOUT"));
  socket.on("error", (error) => end(error.code));
});
const name = (host) => dns.lookup(host).then(() => [host, "RESOLVED"], (error) => [host, error.code]);
const [targets, names] = JSON.parse(process.argv[1]);
Promise.all([...targets.map(([host, port]) => dial(host, port)), ...names.map(name)])
  .then((outcomes) => console.log(JSON.stringify(outcomes)));
`;

/** Addresses beyond every private network; nothing needs to answer there for the proof to hold. */
const FAR_TARGETS = [
  ["1.1.1.1", 443],
  ["8.8.8.8", 53],
] as const;
const NAMES = ["sampan.example.org", "registry.example.org"];
const REACHED = ["CONNECTED", "RESOLVED"];
/** What an engine makes for its containers. */
const ENGINE_INTERFACE = /^(docker\d+|br-[0-9a-f]+|veth[0-9a-f]+)$/;

export interface Attempt {
  readonly target: string;
  readonly outcome: string;
}

/** A command that probes from a place, or from within a container there, to be given its words. */
export type RunProbe = (words: readonly string[]) => Promise<string>;

export interface Outside extends AsyncDisposable {
  /** What the vendor's machine can be reached at, with somebody listening. */
  readonly targets: readonly (readonly [host: string, port: number])[];
}

/** Listens at every address of this machine, so that a way out of the site would be found. */
export async function openOutside(): Promise<Outside> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const hosts = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address: host }) => [host, port] as const);
  return {
    targets: [["127.0.0.1", port], ...hosts],
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

export async function attemptLinks(
  runProbe: RunProbe,
  node: string,
  targets: Outside["targets"],
): Promise<readonly Attempt[]> {
  const output = await runProbe([node, "-e", PROBE, JSON.stringify([targets, NAMES])]);
  return (JSON.parse(output) as [string, string][]).map(([target, outcome]) => ({ target, outcome }));
}

/**
 * Proves that a place has no link: what answers from this machine cannot be reached from there, no far address and no
 * name can, it has no default route and no interface but loopback and its engine's own. Gives the failed attempts.
 */
export async function assertNoLink(place: Place, outside: Outside): Promise<readonly Attempt[]> {
  const fromHere = await attemptLinks((words) => run(words), process.execPath, outside.targets);
  const answering = outside.targets.filter((_, index) => fromHere[index]?.outcome === "CONNECTED");
  assert.ok(answering.length > 0, "something answers from this machine, or the proof proves nothing");
  const links = await interfacesOf(place);
  for (const { ifname } of links)
    assert.ok(ifname === "lo" || ENGINE_INTERFACE.test(ifname), `the site has an interface ${ifname}`);
  assert.doesNotMatch(
    await run(place.command(["ip", "route", "show"])),
    /default|via/,
    "the site has no route out",
  );
  // Bridges of engines have one address on both sides: there the site would meet itself.
  const own = links.flatMap(({ addr_info }) => addr_info.map(({ local }) => local));
  const others = answering.filter(([host]) => host === "127.0.0.1" || !own.includes(host));
  const targets = [...others, ...FAR_TARGETS];
  const attempts = await attemptLinks((words) => run(place.command(words)), process.execPath, targets);
  assertAllFailed(attempts);
  return attempts;
}

interface Interface {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local: string }[];
}

async function interfacesOf(place: Place): Promise<readonly Interface[]> {
  return JSON.parse(await run(place.command(["ip", "-json", "address", "show"]))) as Interface[];
}

export function assertAllFailed(attempts: readonly Attempt[]): void {
  assert.ok(attempts.length > 0, "something was attempted");
  for (const { target, outcome } of attempts)
    assert.ok(!REACHED.includes(outcome), `${target} was reached from the site (${outcome})`);
}
