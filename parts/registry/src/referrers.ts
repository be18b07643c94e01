import { type Descriptor, isDigest, MEDIA_TYPE } from "@sampan/content";
import { parseManifest } from "./manifest-form.ts";
import { parseDigest, referenceName } from "./names.ts";
import { nextLink } from "./page-query.ts";
import { type Answer, HEADER, type RegistryContext } from "./registry-context.ts";
import { listAll } from "./tags.ts";

/** Manifests read for one answer: each may have 4 MiB. */
const REFERRERS_MAX = 100;

/** Manifests whose subject is the given digest, as an index; the subject itself need not be here (distribution-spec 1.1). */
export const getReferrers: Answer = async (context, { reply, query }, { repository, name }) => {
  const subject = parseDigest(name);
  const wanted = query.get("artifactType");
  const prefix = referenceName.referrers(repository, subject);
  const last = query.get("last");
  const manifests: Descriptor[] = [];
  let read = 0;
  for await (const { name, target } of listAll(
    context.store,
    prefix,
    last === null ? undefined : prefix + last,
  )) {
    if (!isDigest(name.slice(prefix.length))) continue;
    if (read++ === REFERRERS_MAX) break;
    const described = await describe(context, target);
    if (wanted === null || described.artifactType === wanted) manifests.push(described);
    if (read === REFERRERS_MAX)
      reply.header(
        "Link",
        nextLink(`/v2/${repository}/referrers/${subject}`, { count: REFERRERS_MAX }, target.digest),
      );
  }
  if (wanted !== null) reply.header(HEADER.filters, "artifactType");
  return reply
    .header("Content-Type", MEDIA_TYPE.ociIndex)
    .send(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests })));
};

async function describe(
  { store }: RegistryContext,
  target: Descriptor,
): Promise<Descriptor & { readonly artifactType?: string }> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(target.digest)) chunks.push(chunk);
  const { artifactType, annotations } = parseManifest(Buffer.concat(chunks), target.mediaType);
  return {
    ...target,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}
