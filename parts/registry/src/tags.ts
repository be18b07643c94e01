import type { ContentStore, Digest } from "@sampan/content";
import { IMAGES, referenceName, repositoryOfManifest } from "./names.ts";
import { nextLink, parsePageQuery } from "./page-query.ts";
import { registryProblem } from "./problems.ts";
import type { Answer, RegistryContext } from "./registry-context.ts";

const PAGE = 1000;

/** Tags of a repository with what they point at, in lexical order, after `last`. */
export async function* listTags(
  store: ContentStore,
  repository: string,
  last?: string,
): AsyncGenerator<{ readonly tag: string; readonly digest: Digest }> {
  const prefix = referenceName.tags(repository);
  for await (const { name, target } of listAll(
    store,
    prefix,
    last === undefined ? undefined : prefix + last,
  )) {
    const tag = name.slice(prefix.length);
    // A repository `x/tags/…` has names under the same prefix; tags hold no slash.
    if (!tag.includes("/")) yield { tag, digest: target.digest };
  }
}

export async function* listAll(store: ContentStore, prefix: string, start?: string) {
  let after = start;
  for (;;) {
    const page = await store.listReferences(prefix, {
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    after = page.at(-1)?.name;
    if (page.length < PAGE || after === undefined) return;
  }
}

export const getTags: Answer = async ({ store }, { reply, query }, { repository }) => {
  // Clients ask for the tags before they show one image, so a refusal would keep them from looking at any.
  if (repository === IMAGES) return reply.send({ name: repository, tags: [] });
  const page = parsePageQuery(query);
  const tags: string[] = [];
  let known = page.last !== undefined;
  for await (const { tag } of listTags(store, repository, page.last)) {
    known = true;
    if (tags.length === page.count) {
      if (tags.length > 0)
        reply.header("Link", nextLink(`/v2/${repository}/tags/list`, page, tags.at(-1) ?? ""));
      break;
    }
    tags.push(tag);
  }
  if (!known && !(await hasManifests(store, repository)))
    throw registryProblem("REGISTRY_MANIFEST_UNKNOWN", "there is no such repository");
  return reply.send({ name: repository, tags });
};

async function hasManifests(store: ContentStore, repository: string): Promise<boolean> {
  const [first] = await store.listReferences(`${referenceName.manifests(repository)}sha256:`, { limit: 1 });
  return first !== undefined;
}

/** Repositories that hold a manifest and that the reader may pull from. */
export const getCatalog = async (
  { store, authorize }: RegistryContext,
  { request, reply, query }: Parameters<Answer>[1],
): Promise<unknown> => {
  const page = parsePageQuery(query);
  const found = new Set<string>();
  for await (const { name } of listAll(store, referenceName.all)) {
    const repository = repositoryOfManifest(name);
    if (repository !== undefined && (page.last === undefined || repository > page.last))
      found.add(repository);
  }
  const repositories: string[] = [];
  for (const repository of [...found].sort()) {
    if ((await authorize(request, { action: "pull", repository })) !== "allow") continue;
    if (repositories.length === page.count) {
      if (repositories.length > 0)
        reply.header("Link", nextLink("/v2/_catalog", page, repositories.at(-1) ?? ""));
      break;
    }
    repositories.push(repository);
  }
  return reply.send({ repositories });
};
