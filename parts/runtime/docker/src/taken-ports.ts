import { readdir, readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { basename } from "node:path";
import type { TakenPort } from "@sampan/runtime";
import type { DriverContext } from "./driver-context.ts";
import type { EngineContainerSummary } from "./engine-types.ts";
import { LABEL } from "./labels.ts";
import { describeHolder } from "./start-failure.ts";

/** The kernel's lists of sockets, and the states of those that wait for somebody: listening, and for UDP not connected (proc(5), tcp_states.h). */
const LISTS = [
  { path: "/proc/net/tcp", protocol: "tcp", state: "0A" },
  { path: "/proc/net/tcp6", protocol: "tcp", state: "0A" },
  { path: "/proc/net/udp", protocol: "udp", state: "07" },
  { path: "/proc/net/udp6", protocol: "udp", state: "07" },
] as const;

export interface Listener {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly inode: string;
}

/**
 * Ports that containers of the engine publish, and those on which other programs of the machine listen. Undefined where the engine is on
 * another machine, or this process is in a container: what else listens beside the engine cannot be seen from there.
 */
export async function readTakenPorts(
  context: DriverContext,
  signal: AbortSignal | undefined,
): Promise<readonly TakenPort[] | undefined> {
  const containers = await context.scope.everyContainer(signal);
  if (context.client.address.kind !== "socket") return undefined;
  const { Name } = await context.scope.info(signal);
  const lists = await Promise.all(LISTS.map(readList));
  if (Name !== hostname() || lists.every((list) => list === undefined)) return undefined;
  const taken = new Map<string, TakenPort>();
  for (const port of containers.flatMap((one) => publishedPorts(context, one))) taken.set(keyOf(port), port);
  const others = lists.flatMap((list) => list ?? []).filter((one) => !taken.has(keyOf(one)));
  const programs = await programsOf(new Set(others.map(({ inode }) => inode)));
  for (const { port, protocol, inode } of others) {
    const by = programs.get(inode);
    taken.set(keyOf({ port, protocol }), { port, protocol, ...(by === undefined ? {} : { by }) });
  }
  return [...taken.values()].toSorted((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}

/** Lines of `/proc/net/tcp` and its like: local address and port are hexadecimal, the second field; the state is the fourth, the inode the tenth. */
export function parseListeners(
  text: string,
  { protocol, state }: { readonly protocol: "tcp" | "udp"; readonly state: string },
): readonly Listener[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const port = Number.parseInt(fields[1]?.split(":")[1] ?? "", 16);
      return fields[3] === state && port > 0 ? [{ port, protocol, inode: fields[9] ?? "" }] : [];
    });
}

async function readList(list: (typeof LISTS)[number]): Promise<readonly Listener[] | undefined> {
  const text = await readFile(list.path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : parseListeners(text, list);
}

function publishedPorts({ scope }: DriverContext, container: EngineContainerSummary): readonly TakenPort[] {
  const app = container.Labels?.[LABEL.app];
  const isOwn = app !== undefined && scope.owns(container.Labels, app);
  return (container.Ports ?? []).flatMap(({ PublicPort, Type }) =>
    PublicPort === undefined || (Type !== "tcp" && Type !== "udp")
      ? []
      : [{ port: PublicPort, protocol: Type, by: describeHolder(container), ...(isOwn ? { app } : {}) }],
  );
}

function keyOf({ port, protocol }: { readonly port: number; readonly protocol: string }): string {
  return `${port}/${protocol}`;
}

/** Names of the programs that hold sockets, as far as this user may look. */
async function programsOf(inodes: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  if (inodes.size === 0) return names;
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const process of processes) {
    if (names.size === inodes.size) break;
    const folder = `/proc/${process}/fd`;
    for (const fd of await readdir(folder).catch(() => [])) {
      const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`${folder}/${fd}`).catch(() => ""))?.[1];
      if (inode === undefined || !inodes.has(inode) || names.has(inode)) continue;
      const program = basename(await readlink(`/proc/${process}/exe`).catch(() => ""));
      if (program !== "") names.set(inode, `program ${program}`);
    }
  }
  return names;
}
