import { type Digest, MEDIA_TYPE } from "@sampan/content";
import type { FastifyRequest } from "fastify";
import { findBlob } from "./blobs.ts";
import { parseDigest, parseRepository, referenceName } from "./names.ts";
import { registryProblem } from "./problems.ts";
import { type Answer, type Exchange, HEADER, type RegistryContext } from "./registry-context.ts";

/** POST: begins an upload; or mounts a blob that another repository has; or takes a whole blob at once. */
export const beginUpload: Answer = async (context, exchange, { repository }) => {
  const { query, reply, request } = exchange;
  const mount = query.get("mount");
  if (mount !== null && (await mountBlob(context, exchange, { repository, digest: parseDigest(mount) })))
    return created(exchange, repository, parseDigest(mount));
  const digest = query.get("digest");
  const wanted = digest === null || !hasBody(request) ? undefined : parseDigest(digest);
  const id = await context.uploads.begin(repository);
  if (wanted !== undefined) {
    await context.uploads.append(repository, id, request.raw, {});
    return finish(context, exchange, { repository, id, digest: wanted });
  }
  return describe(reply.code(202), { repository, id, size: 0 });
};

/** PATCH: adds a chunk. Without Content-Range it goes where the upload ends. */
export const appendUpload: Answer = async (context, { request, reply }, { repository, name: id }) => {
  const size = await append(context, request, { repository, id });
  return describe(reply.code(202), { repository, id, size });
};

/** GET: how far it is, so that a client can go on. */
export const statUpload: Answer = async (context, { reply }, { repository, name: id }) => {
  const size = await context.uploads.size(repository, id);
  return describe(reply.code(204), { repository, id, size });
};

/** PUT: takes a last chunk, if there is one, and closes the upload under its digest. */
export const finishUpload: Answer = async (context, exchange, { repository, name: id }) => {
  const digest = parseDigest(exchange.query.get("digest") ?? "");
  if (hasBody(exchange.request)) await append(context, exchange.request, { repository, id });
  return finish(context, exchange, { repository, id, digest });
};

export const cancelUpload: Answer = async (context, { reply }, { repository, name: id }) => {
  await context.uploads.cancel(repository, id);
  return reply.code(204).send();
};

/** False when the other repository does not have it, or may not be read: then the client uploads. */
async function mountBlob(
  context: RegistryContext,
  { request, query }: Exchange,
  { repository, digest }: { repository: string; digest: Digest },
): Promise<boolean> {
  const from = query.get("from");
  if (from === null) return false;
  const other = parseRepository(from);
  if ((await context.authorize(request, { action: "pull", repository: other })) !== "allow") return false;
  const size = await findBlob(context, other, digest);
  if (size === undefined) return false;
  await keepBlob(context, repository, { digest, size });
  return true;
}

async function append(
  context: RegistryContext,
  request: FastifyRequest,
  { repository, id }: { repository: string; id: string },
): Promise<number> {
  const range = parseContentRange(request.headers["content-range"]);
  const declared = request.headers["content-length"];
  if (range !== undefined && declared !== undefined && Number(declared) !== range.end - range.start)
    throw registryProblem("REGISTRY_SIZE_INVALID", "Content-Range and Content-Length do not agree");
  const size = await context.uploads.append(
    repository,
    id,
    request.raw,
    range === undefined ? {} : { start: range.start },
  );
  if (range !== undefined && size !== range.end)
    throw registryProblem("REGISTRY_SIZE_INVALID", "the chunk is not as long as its Content-Range says");
  return size;
}

async function finish(
  context: RegistryContext,
  exchange: Exchange,
  { repository, id, digest }: { repository: string; id: string; digest: Digest },
): Promise<unknown> {
  await context.uploads.finish(repository, id, digest, async (content, size) => {
    await context.store.write(content, { digest, sizeBytesMax: size });
    await keepBlob(context, repository, { digest, size });
  });
  return created(exchange, repository, digest);
}

function keepBlob(
  { store }: RegistryContext,
  repository: string,
  blob: { digest: Digest; size: number },
): Promise<void> {
  return store.setReference(referenceName.blob(repository, blob.digest), {
    mediaType: MEDIA_TYPE.octetStream,
    ...blob,
  });
}

function created({ reply }: Exchange, repository: string, digest: Digest): unknown {
  return reply
    .code(201)
    .header("Location", `/v2/${repository}/blobs/${digest}`)
    .header(HEADER.digest, digest)
    .send();
}

function describe(
  reply: Exchange["reply"],
  { repository, id, size }: { repository: string; id: string; size: number },
): unknown {
  return reply
    .header("Location", `/v2/${repository}/blobs/uploads/${id}`)
    .header(HEADER.upload, id)
    .header("Range", `0-${Math.max(0, size - 1)}`)
    .send();
}

/** `<first>-<last>`, as the distribution-spec writes it; `bytes` before it is allowed. */
function parseContentRange(header: string | undefined): { start: number; end: number } | undefined {
  if (header === undefined) return undefined;
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header);
  const [start, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last < start)
    throw registryProblem("REGISTRY_RANGE_INVALID", "Content-Range is not of the form first-last");
  return { start, end: last + 1 };
}

export function hasBody(request: FastifyRequest): boolean {
  return (
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0
  );
}
