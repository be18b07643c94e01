import { createHash } from "node:crypto";
import type { AppRef, InstanceSpec } from "@sampan/plan";
import { runtimeProblem } from "@sampan/runtime";
import type { InstancePlace } from "./container-config.ts";
import type { DriverContext } from "./driver-context.ts";
import type { EngineImage, EngineVolume } from "./engine-types.ts";
import { readFirstFile, writeTar } from "./file-tar.ts";
import { LABEL, ownerLabels } from "./labels.ts";

type ConfigFile = InstanceSpec["files"][number];

/**
 * Config files are put into the container's own layer before it starts, where programs may also rewrite them. The
 * engine does not do that under a read-only root, nor is it seen under a memory mount: there, files are bound one by
 * one from a volume that lives as long as the instance.
 */
export function splitFiles(spec: InstanceSpec): {
  readonly put: readonly ConfigFile[];
  readonly bound: readonly ConfigFile[];
} {
  const memory = spec.mounts.filter(({ kind }) => kind === "memory").map(({ path }) => path);
  const isBound = ({ path }: ConfigFile) =>
    spec.security.readOnlyRoot || memory.some((one) => path.startsWith(`${one.replace(/\/$/, "")}/`));
  return {
    put: spec.files.filter((file) => !isBound(file)),
    bound: spec.files.filter(isBound),
  };
}

/** Puts files into a made container that has not started. */
export async function putFiles(
  context: DriverContext,
  container: { readonly id: string; readonly user: string },
  files: readonly ConfigFile[],
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) return;
  const owner = await findOwner(context, container, signal);
  await putArchive(context, {
    container: container.id,
    folder: "/",
    tar: renderTar(files, owner, (file) => file.path.replace(/^\/+/, "")),
    signal,
  });
}

/** Makes the volume of an instance's bound files, and says where each lies on the engine's machine. */
export async function bindFiles(
  context: DriverContext,
  instance: {
    readonly app: AppRef;
    readonly name: string;
    readonly image: EngineImage;
    readonly spec: InstanceSpec;
  },
  files: readonly ConfigFile[],
  signal: AbortSignal,
): Promise<InstancePlace["boundFiles"]> {
  if (files.length === 0) return [];
  const { client, scope } = context;
  const { body: volume } = await client.call<EngineVolume>({
    method: "POST",
    path: "/volumes/create",
    body: {
      Name: filesVolumeName(instance.name),
      Labels: { ...ownerLabels(instance.app, scope.site), [LABEL.files]: instance.name },
    },
    what: "make a volume for config files",
    signal,
  });
  const folder = "/sampan-files";
  // A volume is written through a container; this one never starts.
  const { body: carrier } = await client.call<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    body: {
      Image: instance.image.Id,
      Entrypoint: ["sampan-files"],
      Labels: { ...ownerLabels(instance.app, scope.site), [LABEL.files]: instance.name },
      HostConfig: {
        NetworkMode: "none",
        Mounts: [{ Type: "volume", Source: volume.Name, Target: folder, VolumeOptions: { NoCopy: true } }],
      },
    },
    what: "make a container to carry config files",
    signal,
  });
  try {
    const user = instance.spec.security.user ?? instance.image.Config?.User ?? "";
    const owner = await findOwner(context, { id: carrier.Id, user }, signal);
    const tar = renderTar(files, owner, fileKey);
    await putArchive(context, { container: carrier.Id, folder, tar, signal });
  } finally {
    await removeCarrier(context, carrier.Id);
  }
  return files.map((file) => ({ source: `${volume.Mountpoint}/${fileKey(file)}`, path: file.path }));
}

/** Removes the volumes of instances that are no more, and carriers that a crash left behind. */
export async function sweepFiles(context: DriverContext, app: string, signal: AbortSignal): Promise<void> {
  const { client, scope } = context;
  const volumes = await scope.volumes(app, signal);
  if (!volumes.some(({ Labels }) => LABEL.files in (Labels ?? {}))) return;
  for (const id of await scope.carriers(app, signal)) await removeCarrier(context, id);
  const containers = await scope.containers(app, signal);
  const names = new Set(containers.flatMap(({ Names }) => Names ?? []).map((name) => name.slice(1)));
  for (const volume of volumes) {
    const owner = volume.Labels?.[LABEL.files];
    if (owner === undefined || names.has(owner)) continue;
    await client.call({
      method: "DELETE",
      path: `/volumes/${encodeURIComponent(volume.Name)}`,
      what: `remove volume ${volume.Name}`,
      accept: [404, 409],
      signal,
    });
  }
}

async function removeCarrier(context: DriverContext, id: string): Promise<void> {
  await context.client.call({
    method: "DELETE",
    path: `/containers/${id}`,
    query: { force: true, v: true },
    what: "remove a carrier of config files",
    accept: [404, 409],
  });
}

function filesVolumeName(container: string): string {
  return `${container}-files`;
}

function fileKey(file: ConfigFile): string {
  return createHash("sha256").update(file.path).digest("hex").slice(0, 32);
}

function renderTar(
  files: readonly ConfigFile[],
  owner: { readonly uid: number; readonly gid: number },
  pathOf: (file: ConfigFile) => string,
): Uint8Array {
  return writeTar(
    files.map((file) => ({
      path: pathOf(file),
      content: Buffer.from(file.content, "utf8"),
      mode: file.mode,
      ...owner,
    })),
  );
}

async function putArchive(
  context: DriverContext,
  archive: {
    readonly container: string;
    readonly folder: string;
    readonly tar: Uint8Array;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  await context.client.call({
    method: "PUT",
    path: `/containers/${archive.container}/archive`,
    query: { path: archive.folder, noOverwriteDirNonDir: true, copyUIDGID: false },
    body: archive.tar,
    what: "put config files in place",
    signal: archive.signal,
  });
}

/** The numeric owner of files for the user an instance runs as: `1000`, `1000:1000`, or a name that the image's own passwd file knows. */
async function findOwner(
  context: DriverContext,
  container: { readonly id: string; readonly user: string },
  signal: AbortSignal,
): Promise<{ readonly uid: number; readonly gid: number }> {
  const [user = "", group] = container.user.split(":");
  if (user === "" || user === "root" || user === "0") return { uid: 0, gid: numeric(group) ?? 0 };
  const known = await readPasswd(context, container.id, signal);
  const entry = known.find((one) => one.name === user || one.uid === Number(user));
  const uid = numeric(user) ?? entry?.uid;
  if (uid === undefined)
    throw runtimeProblem("RUNTIME_REFUSED", `the image knows no user ${user}`, {
      why: "config files are to belong to it, and it is not in /etc/passwd of the image",
      hint: "Name the user by its number.",
    });
  return { uid, gid: numeric(group) ?? entry?.gid ?? 0 };
}

async function readPasswd(
  context: DriverContext,
  container: string,
  signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly uid: number; readonly gid: number }[]> {
  const file = await readFile(context, { container, path: "/etc/passwd", signal });
  return Buffer.from(file ?? [])
    .toString("utf8")
    .split("\n")
    .flatMap((line) => {
      const [name = "", , uid, gid] = line.split(":");
      return name === "" ? [] : [{ name, uid: Number(uid), gid: Number(gid) }];
    });
}

const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** A file of a container, running or not; undefined when it is not there, is no regular file, or is larger than 16 MiB. */
export async function readFile(
  context: DriverContext,
  file: {
    readonly container: string;
    readonly path: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  const source = context.client.stream({
    method: "GET",
    path: `/containers/${file.container}/archive`,
    query: { path: file.path },
    what: `read ${file.path} of a container`,
    accept: [404],
    signal: file.signal,
  });
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    if (size > FILE_BYTES_MAX) return undefined;
    pieces.push(piece);
  }
  return readFirstFile(Buffer.concat(pieces));
}

function numeric(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
