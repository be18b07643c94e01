/** A pull reference in the parts that the engine asks for: `host:port/repository:tag`, or `…@sha256:…` where the digest stands for the tag. */
export function splitReference(reference: string): {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
} {
  const digestAt = reference.indexOf("@");
  const named = digestAt === -1 ? reference : reference.slice(0, digestAt);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const repository = hasTag ? named.slice(0, colon) : named;
  const tag = digestAt === -1 ? (hasTag ? named.slice(colon + 1) : "latest") : reference.slice(digestAt + 1);
  const first = repository.split("/")[0] ?? "";
  const isRegistry = repository.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return { registry: isRegistry ? first : "docker.io", repository, tag };
}
