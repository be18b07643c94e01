import { basename } from "node:path";
import { judge } from "@sampan/api";
import {
  type BundleFile,
  deliveryProblem,
  type ExportWish,
  type ImportWish,
  isBackup,
  partOf,
  planExport,
  readOfBundle,
  releaseOfText,
  startingPoints,
} from "@sampan/delivery";
import { isProblem } from "@sampan/problem";
import type { RequestContext } from "../http/context.ts";
import { serverProblem } from "../http/problems.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { allowedRelease, strongestTeam } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type BundleNames =
  | "exportBundle"
  | "planExport"
  | "listBundles"
  | "getBundle"
  | "downloadBundle"
  | "removeBundle"
  | "startUpload"
  | "appendUpload"
  | "inspectBundle"
  | "importBundle";

export function bundleHandlers(parts: ServerParts): Pick<Handlers, BundleNames> {
  return { ...fileHandlers(parts), ...exportHandlers(parts), ...importHandlers(parts) };
}

function fileHandlers(
  parts: ServerParts,
): Pick<
  Handlers,
  "listBundles" | "getBundle" | "downloadBundle" | "removeBundle" | "startUpload" | "appendUpload"
> {
  const { files } = parts;
  const allowed = async (context: RequestContext, id: string): Promise<BundleFile> => {
    const file = await files.get(id);
    context.allow(file.teamId);
    return file;
  };
  return {
    listBundles: async (_input, context) => {
      const all = await files.list();
      const { actor } = context;
      const seen = all.filter(
        (file) =>
          actor.enterpriseAdministrator ||
          (file.teamId !== undefined && actor.teams[file.teamId] !== undefined),
      );
      return { items: [...seen] };
    },
    getBundle: async ({ params }, context) => await allowed(context, params.id),
    downloadBundle: async ({ params }, context) => {
      const file = await allowed(context, params.id);
      if (file.state !== "whole")
        throw deliveryProblem("BUNDLE_FILE_ABSENT", `${file.name} is not whole yet`, {
          hint: "wait for its job",
        });
      await requireForData(parts, context, file);
      return {
        sizeBytes: file.sizeBytes,
        contentType: "application/vnd.sampan.bundle.v1",
        name: file.name,
        ...(file.sha256 === undefined ? {} : { etag: file.sha256 }),
        read: (range) => files.read(file, range),
      };
    },
    removeBundle: async ({ params }, context) => {
      const file = await allowed(context, params.id);
      await files.remove(file.id);
      return undefined;
    },
    startUpload: async ({ body }, context) => {
      const teamId = body.teamId ?? strongestTeam(context.actor);
      context.allow(teamId);
      return await files.beginUpload({
        id: parts.newId("bdl"),
        name: body.name,
        sizeBytes: body.sizeBytes,
        ...(teamId === undefined ? {} : { teamId }),
      });
    },
    appendUpload: async ({ params, query, body }, context) => {
      const file = await allowed(context, params.id);
      return await files.append(file.id, query.offset, body);
    },
  };
}

/** A backup holds what is in volumes, as it stands: whoever may only look at apps does not see that otherwise either. */
async function requireForData(parts: ServerParts, context: RequestContext, file: BundleFile): Promise<void> {
  if (judge(context.actor, "app.snapshot", file.teamId).allowed) return;
  const bundle = await parts.bundles
    .openBundle(parts.files.contentPath(file.id, file.name))
    .catch((error: unknown) => {
      // What is no bundle is no backup.
      if (!isProblem(error)) throw error;
    });
  try {
    if (bundle !== undefined && isBackup(bundle)) context.require("app.snapshot", file.teamId);
  } finally {
    await bundle?.close();
  }
}

function exportHandlers(parts: ServerParts): Pick<Handlers, "exportBundle" | "planExport" | "inspectBundle"> {
  return {
    exportBundle: async ({ body }, context) => {
      const teamId = await allowExport(parts, context, body);
      const { bases, remarks } = await startingPoints(parts, body);
      const input: ExportWish = {
        releases: body.releases,
        level: body.level,
        unsigned: body.unsigned,
        fileId: parts.newId("bdl"),
        ...(body.volumeSizeBytes === undefined ? {} : { volumeSizeBytes: body.volumeSizeBytes }),
        ...(bases.length === 0 ? {} : { bases }),
        ...(remarks.length === 0 ? {} : { remarks }),
        ...(teamId === undefined ? {} : { teamId }),
      };
      const job = await parts.store.jobs.enqueue({
        kind: "export",
        input,
        startedBy: context.actor.name,
        lane: "export",
        ...(teamId === undefined ? {} : { teamId }),
      });
      return { jobId: job.id };
    },
    planExport: async ({ body }, context) => {
      await allowExport(parts, context, body);
      return await planExport(parts, body, { signal: context.facts.signal });
    },
    inspectBundle: async ({ body }, context) => {
      context.allow(strongestTeam(context.actor));
      await requireOwnFile(parts, context, body);
      return await inspect(parts, await parts.files.locate(body));
    },
  };
}

/** Gives the team that the file is for. */
async function allowExport(
  parts: ServerParts,
  context: RequestContext,
  body: ExportBody,
): Promise<string | undefined> {
  for (const digest of [...body.releases, ...(body.from ?? [])]) await allowedRelease(parts, context, digest);
  const teamId = body.teamId ?? strongestTeam(context.actor);
  context.allow(teamId);
  return teamId;
}

type ExportBody = Parameters<Handlers["exportBundle"]>[0]["body"];

function importHandlers(parts: ServerParts): Pick<Handlers, "importBundle"> {
  return {
    importBundle: async ({ body }, context) => {
      if (body.scope === "enterprise") {
        context.require("enterprise.manage", undefined);
        context.allow(undefined);
      } else {
        context.allow(body.teamId);
        if (body.teamId === undefined)
          throw serverProblem("API_INVALID", "the request has a fault", {
            faults: [{ path: "teamId", message: "say which team the bundle is imported for" }],
          });
      }
      // Whose signatures count is the enterprise's to say, and so is doing without.
      if (body.allowUnsigned) context.require("enterprise.manage", undefined);
      await requireOwnFile(parts, context, body.source);
      const path = await parts.files.locate(body.source);
      const input: ImportWish = {
        path,
        fileName: basename(path),
        scope: body.scope,
        allowUnsigned: body.allowUnsigned,
        by: { userId: context.actor.userId, name: context.actor.name },
        ...(body.teamId === undefined ? {} : { teamId: body.teamId }),
        ...(body.throttleBytesPerSecond === undefined
          ? {}
          : { throttleBytesPerSecond: body.throttleBytesPerSecond }),
      };
      const job = await parts.store.jobs.enqueue({
        kind: "import",
        input,
        startedBy: context.actor.name,
        lane: "import",
        ...(body.teamId === undefined ? {} : { teamId: body.teamId }),
      });
      return { jobId: job.id };
    },
  };
}

/** A file that was uploaded for another team is as closed to inspecting and importing as to downloading. */
export async function requireOwnFile(
  parts: ServerParts,
  context: RequestContext,
  source: { readonly fileId: string } | { readonly path: string },
): Promise<void> {
  if ("fileId" in source) context.require("library.read", (await parts.files.get(source.fileId)).teamId);
}

async function inspect(parts: ServerParts, path: string) {
  const bundle = await parts.bundles.openBundle(path);
  try {
    const { document } = bundle;
    const known = (await parts.store.trustedKeys.list({ limit: 200 })).items.filter(
      (key) => key.revokedAt === undefined,
    );
    const report = parts.bundles.verifySignatures(bundle, [
      parts.site.publicKeyPem,
      ...known.map((key) => key.publicKeyPem),
    ]);
    const held = await Promise.all(
      document.releases.map((release) =>
        parts.store.releases.get(release.digest).then(
          () => true,
          () => false,
        ),
      ),
    );
    const wants = new Set<string>();
    for (const release of document.releases) {
      const bytes = await readOfBundle(parts, bundle, release.digest);
      if (bytes !== undefined) for (const want of wantsOf(new TextDecoder().decode(bytes))) wants.add(want);
    }
    const part = partOf(bundle);
    const nameOf = (keyId: string) =>
      keyId === parts.site.signer.keyId ? "this site" : known.find((key) => key.keyId === keyId)?.name;
    const signature = (keyId: string, trusted: boolean) => ({
      keyId,
      trusted,
      ...(nameOf(keyId) === undefined ? {} : { name: nameOf(keyId) }),
    });
    return {
      formatVersion: document.formatVersion,
      kind: document.kind,
      backup: isBackup(bundle),
      manifestDigest: bundle.manifestDigest,
      ...(part === undefined ? {} : { part }),
      releases: document.releases.map((release, index) => ({ ...release, held: held[index] === true })),
      signatures: [
        ...report.trusted.map((id) => signature(id, true)),
        ...report.unknown.map((id) => signature(id, false)),
      ],
      images: document.images.length,
      architectures: [...new Set(document.images.map((image) => `${image.os}/${image.architecture}`))],
      sizeBytes: bundle.sizeBytes,
      rawBytes: document.sizes.layers,
      needsBytes: document.sizes.content,
      freeBytes: await parts.hold.freeBytes(),
      wants: [...wants],
      document: document as unknown as Record<string, unknown>,
    };
  } finally {
    await bundle.close();
  }
}

/** What a site may want to know before it lets a release in. */
function wantsOf(text: string): string[] {
  const release = releaseOfText(text);
  return Object.entries(release.components).flatMap(([name, component]) => [
    ...(component.security?.privileged === true ? [`${name} runs privileged`] : []),
    ...(component.security?.addCapabilities ?? []).map(
      (capability) => `${name} has the capability ${capability}`,
    ),
    ...Object.values(component.ports ?? {}).flatMap((port) =>
      typeof port.hostPort === "number" ? [`${name} takes port ${port.hostPort} of the machine`] : [],
    ),
  ]);
}
