import type { Bytes } from "@sampan/content";
import type { Driver, TakenPort, VolumeRef } from "./driver.ts";
import type { MemoryApp, MemoryEngine } from "./memory-engine.ts";
import type { FileMap } from "./memory-files.ts";
import { refuseUnreachable } from "./memory-steps.ts";
import { runtimeProblem } from "./problems.ts";
import { walkTar } from "./tar-walk.ts";
import { writeTar } from "./tar-writer.ts";

const PIECE_BYTES = 64 * 1024;
/** A volume in memory is no place for more. */
const VOLUME_BYTES_MAX = 256 * 1024 ** 2;

/** What is done with volumes of the memory engine. Their files are texts; owners, modes, times, links and empty folders are not kept. */
export function volumeVerbs(
  engine: MemoryEngine,
): Pick<Driver, "readVolume" | "writeVolume" | "removeVolume" | "takenPorts"> {
  return {
    readVolume: (ref, signal) => readVolume(engine, ref, signal),
    async writeVolume(ref, tar, signal) {
      refuseUnreachable(engine);
      refuseMounted(engine.apps.get(ref.app.id), ref, "written");
      const files = await readFiles(ref, tar, signal);
      refuseMounted(engine.apps.get(ref.app.id), ref, "written");
      engine.appOf(ref.app).volumes.set(keyOf(ref), files);
    },
    async removeVolume(ref, signal) {
      signal?.throwIfAborted();
      refuseUnreachable(engine);
      const app = engine.apps.get(ref.app.id);
      if (app === undefined) return;
      refuseMounted(app, ref, "removed");
      app.volumes.delete(keyOf(ref));
      if (!app.network && app.volumes.size === 0 && app.instances.size === 0) engine.apps.delete(app.ref.id);
    },
    async takenPorts() {
      refuseUnreachable(engine);
      return takenPorts(engine);
    },
  };
}

function keyOf({ component, volume }: VolumeRef): string {
  return `${component}/${volume}`;
}

function titleOf({ app, component, volume }: VolumeRef): string {
  return `volume ${volume} of ${component} in ${app.slug}`;
}

async function* readVolume(engine: MemoryEngine, ref: VolumeRef, signal: AbortSignal | undefined): Bytes {
  refuseUnreachable(engine);
  const files = engine.apps.get(ref.app.id)?.volumes.get(keyOf(ref));
  if (files === undefined)
    throw runtimeProblem("RUNTIME_ABSENT", `there is no ${titleOf(ref)}`, { hint: "Look again." });
  const tar = writeTar(
    [...files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, text]) => ({ name: path.replace(/^\//, ""), bytes: Buffer.from(text) })),
  );
  for (let at = 0; at < tar.length; at += PIECE_BYTES) {
    signal?.throwIfAborted();
    yield tar.subarray(at, at + PIECE_BYTES);
  }
}

async function readFiles(ref: VolumeRef, tar: Bytes, signal: AbortSignal | undefined): Promise<FileMap> {
  const refused = (why: string) => runtimeProblem("RUNTIME_REFUSED", `cannot write ${titleOf(ref)}`, { why });
  const contents = new Map<string, Uint8Array[]>();
  let content: Uint8Array[] = [];
  let size = 0;
  const pieces = walkTar(tar, {
    broken: (why) => refused(`what is to be written is not whole: ${why}`),
    onEntry({ name, type }) {
      content = [];
      if (type === "5") return;
      if (type !== "0") throw refused(`${name} is no regular file, and the memory engine keeps no other`);
      contents.set(`/${name.replace(/^(\.?\/)+/, "")}`, content);
    },
    onContent: (piece) => content.push(piece.slice()),
  });
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    size += piece.length;
    if (size > VOLUME_BYTES_MAX) throw refused(`it is longer than ${VOLUME_BYTES_MAX} bytes`);
  }
  signal?.throwIfAborted();
  return new Map(
    [...contents].map(([path, parts]) => [path, decode(parts, () => refused(`${path} is no text`))]),
  );
}

function decode(parts: readonly Uint8Array[], refused: () => Error): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch {
    throw refused();
  }
}

function refuseMounted(app: MemoryApp | undefined, ref: VolumeRef, done: "written" | "removed"): void {
  const mounting = [...(app?.instances.values() ?? [])].filter(({ options }) =>
    options.component.spec.mounts.some(
      (mount) => mount.kind === "volume" && mount.owner === ref.component && mount.volume === ref.volume,
    ),
  );
  if (mounting.length === 0) return;
  const names = mounting.map(({ options }) => `${options.component.name} ${options.index}`);
  throw runtimeProblem("RUNTIME_REFUSED", `${titleOf(ref)} cannot be ${done}`, {
    why: `${names.join(", ")} mounts it`,
    hint: "Remove the instances that mount it first.",
  });
}

function takenPorts(engine: MemoryEngine): readonly TakenPort[] {
  const now = engine.clock.now();
  const others = [...engine.takenPorts].map((port) => ({ port, protocol: "tcp" as const }));
  const own = [...engine.apps.values()].flatMap((app) =>
    [...app.instances.values()].flatMap((one) => {
      const { name, spec } = one.options.component;
      return one.observed(now).hostPorts.map((held) => ({
        port: held.hostPort,
        protocol:
          spec.ports.find((port) => port.name === held.name)?.protocol === "udp"
            ? ("udp" as const)
            : ("tcp" as const),
        by: `component ${name} of app ${app.ref.slug}`,
        app: app.ref.id,
      }));
    }),
  );
  return [...others, ...own].sort((a, b) => a.port - b.port);
}
