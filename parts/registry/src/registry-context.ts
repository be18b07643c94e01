import type { ContentStore } from "@sampan/content";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { UploadFolder } from "./upload-folder.ts";

/** What somebody wants to do. `ping` and `list` (the catalog) are of no repository. */
export type RegistryAccess =
  | { readonly action: "ping" | "list" }
  | { readonly action: "pull" | "push" | "delete"; readonly repository: string };

/** `challenge`: nobody known asks, so ask for who it is. `deny`: known, and may not. */
export type Verdict = "allow" | "challenge" | "deny";

export type Authorize = (request: FastifyRequest, access: RegistryAccess) => Promise<Verdict> | Verdict;

export interface RegistryContext {
  readonly store: ContentStore;
  readonly uploads: UploadFolder;
  readonly authorize: Authorize;
}

/** One request, its path read and its repository checked. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly query: URLSearchParams;
}

export type Answer = (
  context: RegistryContext,
  exchange: Exchange,
  target: { readonly repository: string; readonly name: string },
) => Promise<unknown>;

export const HEADER = {
  digest: "Docker-Content-Digest",
  upload: "Docker-Upload-UUID",
  subject: "OCI-Subject",
  filters: "OCI-Filters-Applied",
} as const;
