import { createHash } from "node:crypto";
import { type Descriptor, type Digest, digestFromHex, isDigest } from "@sampan/content";
import type { FastifyRequest } from "fastify";
import { findBlob } from "./blobs.ts";
import { type ManifestForm, parseManifest } from "./manifest-form.ts";
import { IMAGES, type ManifestName, parseManifestName, referenceName } from "./names.ts";
import { registryProblem } from "./problems.ts";
import { type Answer, HEADER, type RegistryContext } from "./registry-context.ts";
import { listAll, listTags } from "./tags.ts";

/** distribution-spec 1.1, "Pushing Manifests": registries should take at least 4 MiB. */
const MANIFEST_SIZE_MAX = 4 * 1024 * 1024;

export const getManifest: Answer = async (context, { request, reply }, { repository, name }) => {
  const manifest = await findManifest(context, repository, parseManifestName(name));
  if (manifest === undefined) throw manifestUnknown();
  const tag = `"${manifest.digest}"`;
  reply.header(HEADER.digest, manifest.digest).header("Content-Type", manifest.mediaType).header("ETag", tag);
  if (request.headers["if-none-match"]?.includes(tag)) return reply.code(304).send();
  if (request.method === "HEAD") return reply.header("Content-Length", manifest.size).send();
  return reply.send(await readManifest(context, manifest.digest));
};

/** Keeps a manifest whose parts are all here. Nothing is kept when one is not. */
export const putManifest: Answer = async (context, { request, reply }, { repository, name }) => {
  const target = parseManifestName(name);
  const bytes = await readBody(request);
  const digest = digestFromHex(createHash("sha256").update(bytes).digest("hex"));
  if (target.kind === "digest" && target.digest !== digest)
    throw registryProblem(
      "REGISTRY_DIGEST_INVALID",
      "the manifest does not have the digest it was sent with",
      {
        why: `its digest is ${digest}`,
      },
    );
  const form = parseManifest(bytes, request.headers["content-type"]);
  await checkParts(context, repository, form);
  const { store } = context;
  const descriptor: Descriptor = { mediaType: form.mediaType, digest, size: bytes.byteLength };
  await store.write(one(bytes), { digest, sizeBytesMax: bytes.byteLength });
  await store.setReference(referenceName.manifest(repository, digest), descriptor);
  if (form.subject !== undefined) {
    await store.setReference(referenceName.referrer(repository, form.subject.digest, digest), descriptor);
    reply.header(HEADER.subject, form.subject.digest);
  }
  if (target.kind === "tag") await store.setReference(referenceName.tag(repository, target.tag), descriptor);
  return reply
    .code(201)
    .header("Location", `/v2/${repository}/manifests/${digest}`)
    .header(HEADER.digest, digest)
    .send();
};

/** By tag: only the tag goes. By digest: the manifest goes, with all its tags and the blobs that no other manifest here has. */
export const deleteManifest: Answer = async (context, { reply }, { repository, name }) => {
  const { store } = context;
  const target = parseManifestName(name);
  if (target.kind === "tag") {
    if (!(await store.removeReference(referenceName.tag(repository, target.tag)))) throw manifestUnknown();
    return reply.code(202).send();
  }
  const held = await findManifest(context, repository, target);
  if (held === undefined) throw manifestUnknown();
  const { subject, blobs } = parseManifest(await readManifest(context, held.digest), held.mediaType);
  for await (const { tag, digest } of listTags(store, repository))
    if (digest === held.digest) await store.removeReference(referenceName.tag(repository, tag));
  if (subject !== undefined)
    await store.removeReference(referenceName.referrer(repository, subject.digest, held.digest));
  await store.removeReference(referenceName.manifest(repository, held.digest));
  const used = await usedBlobs(context, repository);
  for (const { digest } of blobs)
    if (!used.has(digest)) await store.removeReference(referenceName.blob(repository, digest));
  return reply.code(202).send();
};

/** A push that counts on such a blob and is not done yet is told that it is unknown, and sends it again: nothing is lost. */
async function usedBlobs(context: RegistryContext, repository: string): Promise<ReadonlySet<Digest>> {
  const used = new Set<Digest>();
  const prefix = referenceName.manifests(repository);
  for await (const { name, target } of listAll(context.store, prefix)) {
    if (!isDigest(name.slice(prefix.length))) continue;
    const { blobs } = parseManifest(await readManifest(context, target.digest), target.mediaType);
    for (const { digest } of blobs) used.add(digest);
  }
  return used;
}

async function findManifest(
  context: RegistryContext,
  repository: string,
  name: ManifestName,
): Promise<Descriptor | undefined> {
  if (repository === IMAGES) return findHeldImage(context, name);
  return context.store.getReference(
    name.kind === "tag"
      ? referenceName.tag(repository, name.tag)
      : referenceName.manifest(repository, name.digest),
  );
}

/** An image by its ID as tag; or by the digest of its remade manifest, which clients ask for once they have seen it. */
async function findHeldImage(context: RegistryContext, name: ManifestName): Promise<Descriptor | undefined> {
  const { store } = context;
  if (name.kind === "tag") {
    const imageId = `sha256:${name.tag}`;
    return isDigest(imageId) ? (await store.image(imageId))?.manifest : undefined;
  }
  const held = await store.stat(name.digest);
  if (held === undefined || held.size > MANIFEST_SIZE_MAX) return undefined;
  const imageId = configOf(await readManifest(context, name.digest));
  const manifest = imageId === undefined ? undefined : (await store.image(imageId))?.manifest;
  return manifest?.digest === name.digest ? manifest : undefined;
}

/** Any content may be asked for as a manifest, so what cannot be read as one is no fault. */
function configOf(bytes: Uint8Array): Digest | undefined {
  try {
    return parseManifest(bytes, undefined).configDigest;
  } catch {
    return undefined;
  }
}

async function checkParts(context: RegistryContext, repository: string, form: ManifestForm): Promise<void> {
  for (const part of form.blobs) {
    const size = await findBlob(context, repository, part.digest);
    if (size === undefined) throw partUnknown(part.digest);
    if (size !== part.size)
      throw registryProblem("REGISTRY_MANIFEST_INVALID", "the manifest gives a wrong size", {
        why: `${part.digest} has ${size} bytes, not ${part.size}`,
      });
  }
  for (const part of form.manifests)
    if ((await context.store.getReference(referenceName.manifest(repository, part.digest))) === undefined)
      throw partUnknown(part.digest);
}

async function readManifest({ store }: RegistryContext, digest: Digest): Promise<Buffer> {
  return collect(store.read(digest), () => manifestUnknown());
}

async function readBody(request: FastifyRequest): Promise<Buffer> {
  return collect(request.raw, () =>
    registryProblem("REGISTRY_TOO_LARGE", "the manifest is too large", {
      why: `at most ${MANIFEST_SIZE_MAX} bytes are taken`,
    }),
  );
}

async function collect(source: AsyncIterable<Uint8Array>, tooLarge: () => Error): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > MANIFEST_SIZE_MAX) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* one(bytes: Uint8Array) {
  yield bytes;
}

function manifestUnknown() {
  return registryProblem("REGISTRY_MANIFEST_UNKNOWN", "the repository has no such manifest");
}

function partUnknown(digest: Digest) {
  return registryProblem("REGISTRY_MANIFEST_BLOB_UNKNOWN", "the manifest refers to what is not here", {
    why: `the repository has no ${digest}`,
  });
}
