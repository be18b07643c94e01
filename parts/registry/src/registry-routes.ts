import type { ContentStore } from "@sampan/content";
import { Bug, isProblem, type Problem } from "@sampan/problem";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { deleteBlob, getBlob } from "./blobs.ts";
import { deleteManifest, getManifest, putManifest } from "./manifests.ts";
import { IMAGES, parseRepository } from "./names.ts";
import { ociCode, registryProblem } from "./problems.ts";
import { getReferrers } from "./referrers.ts";
import type { Answer, Authorize, Exchange, RegistryAccess, RegistryContext } from "./registry-context.ts";
import { parseRegistryPath, type RegistryPath } from "./registry-path.ts";
import { getCatalog, getTags } from "./tags.ts";
import { UploadFolder, type UploadLimits } from "./upload-folder.ts";
import { appendUpload, beginUpload, cancelUpload, finishUpload, hasBody, statUpload } from "./uploads.ts";

export interface RegistryOptions extends Partial<UploadLimits> {
  readonly store: ContentStore;
  /** A folder of its own for uploads that are not whole yet, on a disk with room for the largest blobs. Made when absent. */
  readonly uploadsFolder: string;
  readonly authorize: Authorize;
  readonly now: () => Date;
  /** The WWW-Authenticate header for those who have to say who they are; `Basic realm="sampan"` when absent. */
  readonly challenge?: string;
}

const UPLOAD_SIZE_BYTES_MAX = 64 * 1024 ** 3;
const UPLOADS_MAX = 200;
const UPLOAD_IDLE_MS = 24 * 3_600_000;

type RepositoryPath = Exclude<RegistryPath, { kind: "ping" | "catalog" }>;
type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
type Action = "pull" | "push" | "delete";

/** Everything that can be done with a repository, and the right it takes. */
const ANSWERS: Readonly<
  Record<RepositoryPath["kind"], Partial<Readonly<Record<Method, readonly [Action, Answer]>>>>
> = {
  uploads: { POST: ["push", beginUpload] },
  upload: {
    GET: ["push", statUpload],
    PATCH: ["push", appendUpload],
    PUT: ["push", finishUpload],
    DELETE: ["push", cancelUpload],
  },
  blob: { GET: ["pull", getBlob], HEAD: ["pull", getBlob], DELETE: ["delete", deleteBlob] },
  manifest: {
    GET: ["pull", getManifest],
    HEAD: ["pull", getManifest],
    PUT: ["push", putManifest],
    DELETE: ["delete", deleteManifest],
  },
  tags: { GET: ["pull", getTags] },
  referrers: { GET: ["pull", getReferrers] },
};

/**
 * A Fastify plugin: the OCI distribution API 1.1 at `/v2/`. Bodies are streams, so the server must have no `requestTimeout` and no
 * `connectionTimeout`; large uploads and slow disks take their time.
 */
export async function registryRoutes(app: FastifyInstance, options: RegistryOptions): Promise<void> {
  const limits: UploadLimits = {
    uploadSizeBytesMax: options.uploadSizeBytesMax ?? UPLOAD_SIZE_BYTES_MAX,
    uploadsMax: options.uploadsMax ?? UPLOADS_MAX,
    uploadIdleMs: options.uploadIdleMs ?? UPLOAD_IDLE_MS,
  };
  const context: RegistryContext = {
    store: options.store,
    authorize: options.authorize,
    uploads: new UploadFolder(options.uploadsFolder, limits, options.now),
  };
  const challenge = options.challenge ?? 'Basic realm="sampan"';
  await context.uploads.sweep();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  app.setErrorHandler((error, request, reply) => answerError(error, { request, reply, challenge }));
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("Docker-Distribution-API-Version", "registry/2.0");
  });
  const handler = (request: FastifyRequest, reply: FastifyReply) => answer(context, request, reply);
  for (const url of ["/v2", "/v2/", "/v2/*"]) app.all(url, handler);
}

async function answer(
  context: RegistryContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const path = parseRegistryPath((request.params as { "*"?: string })["*"] ?? "");
  const query = new URL(request.url, "http://registry").searchParams;
  const exchange: Exchange = { request, reply, query };
  if (path.kind === "ping" || path.kind === "catalog") {
    if (request.method !== "GET" && request.method !== "HEAD") throw unsupported();
    await demand(context, request, { action: path.kind === "ping" ? "ping" : "list" });
    return path.kind === "ping" ? reply.send({}) : getCatalog(context, exchange);
  }
  const repository = parseRepository(path.repository);
  const row = ANSWERS[path.kind][request.method as Method];
  if (row === undefined) throw unsupported();
  const [action, run] = row;
  await demand(context, request, { action, repository });
  if (repository === IMAGES && action !== "pull")
    throw registryProblem(
      "REGISTRY_DENIED",
      "the repository images shows what is held, and is not written to",
    );
  return run(context, exchange, { repository, name: lastPart(path) });
}

function lastPart(path: RepositoryPath): string {
  switch (path.kind) {
    case "upload":
      return path.id;
    case "manifest":
      return path.name;
    case "blob":
    case "referrers":
      return path.digest;
    default:
      return "";
  }
}

async function demand(
  context: RegistryContext,
  request: FastifyRequest,
  access: RegistryAccess,
): Promise<void> {
  switch (await context.authorize(request, access)) {
    case "allow":
      return;
    case "challenge":
      throw registryProblem("REGISTRY_UNAUTHORIZED", "say who you are");
    case "deny":
      throw registryProblem("REGISTRY_DENIED", "you may not do this in this repository");
  }
}

function unsupported(): Problem {
  return registryProblem("REGISTRY_UNSUPPORTED", "the registry does not do this");
}

/** The error shape of the distribution-spec. What is not a problem is told to the log, not to the client. */
function answerError(
  error: unknown,
  { request, reply, challenge }: { request: FastifyRequest; reply: FastifyReply; challenge: string },
): unknown {
  // A body that nobody will read must not be waited for: the client is told, and the connection goes.
  if (hasBody(request) && !request.raw.complete) reply.header("Connection", "close");
  if (isProblem(error, "REGISTRY_UNAUTHORIZED")) reply.header("WWW-Authenticate", challenge);
  if (!isProblem(error))
    request.log.error({ err: error }, error instanceof Bug ? "bug in the registry" : "registry");
  const shape = isProblem(error)
    ? {
        code: ociCode(error),
        message: error.message,
        ...(error.why === undefined ? {} : { detail: error.why }),
      }
    : { code: "UNKNOWN", message: "the registry failed; its log says why" };
  reply.removeHeader("Content-Length").removeHeader("ETag");
  return reply
    .code(isProblem(error) ? error.kind.status : 500)
    .type("application/json")
    .send(JSON.stringify({ errors: [shape] }));
}
