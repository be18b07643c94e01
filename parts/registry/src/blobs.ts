import { Readable } from "node:stream";
import { type Digest, MEDIA_TYPE } from "@sampan/content";
import { IMAGES, parseDigest, referenceName } from "./names.ts";
import { registryProblem } from "./problems.ts";
import { type Answer, HEADER, type RegistryContext } from "./registry-context.ts";

const READ_AHEAD_BYTES = 256 * 1024;

export function blobUnknown() {
  return registryProblem("REGISTRY_BLOB_UNKNOWN", "the repository has no such blob");
}

/** Size of a blob that the repository has. `images` has all that is held: its layers are known by diffID, its configs by image ID. */
export async function findBlob(
  { store }: RegistryContext,
  repository: string,
  digest: Digest,
): Promise<number | undefined> {
  if (repository === IMAGES) return (await store.stat(digest))?.size;
  const reference = await store.getReference(referenceName.blob(repository, digest));
  return reference === undefined ? undefined : (await store.stat(digest))?.size;
}

/** GET and HEAD: whole, or the one range that is asked for (RFC 9110, 14). */
export const getBlob: Answer = async (context, { request, reply }, { repository, name }) => {
  const digest = parseDigest(name);
  const size = await findBlob(context, repository, digest);
  if (size === undefined) throw blobUnknown();
  const tag = `"${digest}"`;
  reply
    .header(HEADER.digest, digest)
    .header("Content-Type", MEDIA_TYPE.octetStream)
    .header("Accept-Ranges", "bytes")
    .header("ETag", tag);
  if (request.headers["if-none-match"]?.includes(tag)) return reply.code(304).send();
  const range = request.method === "HEAD" ? "whole" : parseRange(request.headers.range, size);
  if (range === "unsatisfiable") {
    reply.header("Content-Range", `bytes */${size}`);
    throw registryProblem("REGISTRY_RANGE_INVALID", "the blob does not have these bytes", {
      why: `it has ${size}`,
    });
  }
  if (range === "whole") {
    reply.header("Content-Length", size);
    // A reply without payload keeps the length that was set: that is what HEAD wants.
    return request.method === "HEAD" ? reply.send() : reply.send(stream(context, digest));
  }
  reply
    .code(206)
    .header("Content-Length", range.end - range.start)
    .header("Content-Range", `bytes ${range.start}-${range.end - 1}/${size}`);
  return reply.send(stream(context, digest, range));
};

export const deleteBlob: Answer = async ({ store }, { reply }, { repository, name }) => {
  const digest = parseDigest(name);
  if (!(await store.removeReference(referenceName.blob(repository, digest)))) throw blobUnknown();
  return reply.code(202).send();
};

interface Range {
  readonly start: number;
  readonly end: number;
}

function stream({ store }: RegistryContext, digest: Digest, range?: Range): Readable {
  return Readable.from(store.read(digest, range), { objectMode: false, highWaterMark: READ_AHEAD_BYTES });
}

/** Several ranges, another unit or nonsense are answered with the whole, as RFC 9110 allows. */
export function parseRange(header: string | undefined, size: number): Range | "whole" | "unsatisfiable" {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null) return "whole";
  const [first, last] = [match[1] ?? "", match[2] ?? ""];
  if (first === "" && last === "") return "whole";
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return "whole";
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}
