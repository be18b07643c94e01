import { registryProblem } from "./problems.ts";

/** What a path below /v2/ names; its parts are not checked yet. */
export type RegistryPath =
  | { readonly kind: "ping" }
  | { readonly kind: "catalog" }
  | { readonly kind: "uploads"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly id: string }
  | { readonly kind: "blob"; readonly repository: string; readonly digest: string }
  | { readonly kind: "manifest"; readonly repository: string; readonly name: string }
  | { readonly kind: "tags"; readonly repository: string }
  | { readonly kind: "referrers"; readonly repository: string; readonly digest: string };

const PATH_LENGTH_MAX = 1024;

/** One row per form, first match wins. Repositories hold slashes, so paths are read from their end. */
const FORMS: readonly (readonly [RegExp, (repository: string, last: string) => RegistryPath])[] = [
  [/^(.+)\/tags\/list$/, (repository) => ({ kind: "tags", repository })],
  [/^(.+)\/blobs\/uploads\/?$/, (repository) => ({ kind: "uploads", repository })],
  [/^(.+)\/blobs\/uploads\/([^/]+)$/, (repository, id) => ({ kind: "upload", repository, id })],
  [/^(.+)\/blobs\/([^/]+)$/, (repository, digest) => ({ kind: "blob", repository, digest })],
  [/^(.+)\/manifests\/([^/]+)$/, (repository, name) => ({ kind: "manifest", repository, name })],
  [/^(.+)\/referrers\/([^/]+)$/, (repository, digest) => ({ kind: "referrers", repository, digest })],
];

/** Reads a decoded path without its `/v2/`. Throws REGISTRY_NAME_INVALID. */
export function parseRegistryPath(path: string): RegistryPath {
  if (path === "") return { kind: "ping" };
  if (path === "_catalog") return { kind: "catalog" };
  if (path.length <= PATH_LENGTH_MAX)
    for (const [form, read] of FORMS) {
      const match = form.exec(path);
      if (match !== null) return read(match[1] ?? "", match[2] ?? "");
    }
  throw registryProblem("REGISTRY_NAME_INVALID", "the path names nothing in a registry");
}
