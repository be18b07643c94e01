import { type Bytes, type Digest, isDigest, type OnProgress } from "@sampan/content";
import type { StepOf } from "@sampan/plan";
import { type FoundImage, runtimeProblem, type StepContext } from "@sampan/runtime";
import { containersForStep } from "./app-containers.ts";
import type { DriverContext } from "./driver-context.ts";
import { imagePath } from "./engine-scope.ts";
import type { EngineImage } from "./engine-types.ts";
import { jsonLines } from "./json-lines.ts";
import { type PullLine, PullProgress } from "./pull-progress.ts";
import { splitReference } from "./split-reference.ts";

/** Brings an image to the engine by a pull from the image source, unless the engine has it, and checks that it is that very image. */
export async function ensureImage(
  context: DriverContext,
  step: StepOf<"image.ensure">,
  { desired, signal, onProgress }: StepContext,
): Promise<void> {
  await containersForStep(context.scope, desired, signal);
  const there = await context.scope.imageById(step.imageId, signal);
  if (there !== undefined) return await checkArchitecture(context, step, there, signal);
  const source = await context.images.pullReference(step.imageId);
  if (source === undefined)
    throw runtimeProblem("RUNTIME_IMAGE_ABSENT", `image ${step.imageName} is not to be had`, {
      why: `neither the engine nor the hold has ${step.imageId}`,
      hint: "Import the bundle that carries it, or build or push it.",
    });
  const before = await context.scope.image(source.reference, signal);
  await pull(context, source, { imageName: step.imageName, signal, onProgress });
  const pulled = await context.scope.image(source.reference, signal);
  try {
    if (pulled?.Id !== step.imageId) throw mismatch(step, pulled);
    await checkArchitecture(context, step, pulled, signal);
  } catch (error) {
    if (before === undefined && pulled !== undefined) await untag(context, source.reference);
    throw error;
  }
}

/** The image of a name or image ID that the engine has. */
export async function findImage(
  context: DriverContext,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<FoundImage | undefined> {
  const image = await context.scope.image(reference, signal);
  if (image === undefined || !isDigest(image.Id)) return undefined;
  return {
    id: image.Id,
    names: image.RepoTags ?? [],
    os: image.Os,
    architecture: image.Architecture,
    sizeBytes: image.Size,
  };
}

/** The engine's export of images: a tar with `manifest.json`, each layer once. Throws RUNTIME_IMAGE_ABSENT. */
export async function* saveImages(
  context: DriverContext,
  imageIds: readonly Digest[],
  signal: AbortSignal | undefined,
): Bytes {
  for (const id of imageIds)
    if ((await context.scope.imageById(id, signal)) === undefined)
      throw runtimeProblem("RUNTIME_IMAGE_ABSENT", "an image cannot be saved", {
        why: `the engine does not have ${id}`,
      });
  yield* context.client.stream({
    method: "GET",
    path: "/images/get",
    query: { names: imageIds },
    what: "export images",
    timeoutMs: 0,
    signal,
  });
}

async function pull(
  context: DriverContext,
  source: { readonly reference: string; readonly username?: string; readonly password?: string },
  options: {
    readonly imageName: string;
    readonly signal: AbortSignal;
    readonly onProgress: OnProgress;
  },
): Promise<void> {
  const { registry, repository, tag } = splitReference(source.reference);
  const what = `pull ${options.imageName}`;
  const progress = new PullProgress(what);
  const lines = context.client.stream({
    method: "POST",
    path: "/images/create",
    query: { fromImage: repository, tag },
    headers: authHeader(source, registry),
    what,
    timeoutMs: 10 * 60_000,
    signal: options.signal,
  });
  for await (const line of jsonLines<PullLine>(lines)) {
    const words = line.errorDetail?.message ?? line.error;
    if (words !== undefined)
      throw runtimeProblem("RUNTIME_REFUSED", `the engine could not ${what}`, { why: words });
    const now = progress.take(line);
    if (now !== undefined) options.onProgress(now);
  }
}

/** X-Registry-Auth: base64url of a JSON object (Engine API, "Authentication"). */
function authHeader(
  source: { readonly username?: string; readonly password?: string },
  registry: string,
): Readonly<Record<string, string>> {
  if (source.username === undefined) return {};
  const auth = {
    username: source.username,
    password: source.password ?? "",
    serveraddress: registry,
  };
  const text = Buffer.from(JSON.stringify(auth)).toString("base64");
  // With its padding: without it, engines take the credentials for none and say nothing.
  return { "x-registry-auth": text.replaceAll("+", "-").replaceAll("/", "_") };
}

async function untag(context: DriverContext, reference: string): Promise<void> {
  await context.client.call({
    method: "DELETE",
    path: `/images/${imagePath(reference)}`,
    what: `drop ${reference}`,
    accept: [404, 409],
  });
}

function mismatch(step: StepOf<"image.ensure">, got: EngineImage | undefined): Error {
  return runtimeProblem("RUNTIME_IMAGE_MISMATCH", `the engine got another image than ${step.imageName}`, {
    why:
      got === undefined
        ? `${step.imageId} is wanted, and the pulled image cannot be found`
        : `${step.imageId} is wanted, and it has ${got.Id}`,
    hint: "Run `sampan hold check`.",
  });
}

const RUNS_TOO: Readonly<Record<string, readonly string[]>> = { amd64: ["386"], arm64: ["arm"] };

async function checkArchitecture(
  context: DriverContext,
  step: StepOf<"image.ensure">,
  image: EngineImage,
  signal: AbortSignal,
): Promise<void> {
  const { Arch, Os } = await context.scope.version(signal);
  const runs = [Arch, ...(RUNS_TOO[Arch] ?? [])];
  if (image.Os === Os && (image.Architecture === "" || runs.includes(image.Architecture))) return;
  throw runtimeProblem("RUNTIME_WRONG_ARCHITECTURE", `image ${step.imageName} cannot run on this machine`, {
    why: `it is made for ${image.Os}/${image.Architecture}, and the engine runs ${Os}/${Arch}`,
    hint: "Export the release for this architecture.",
  });
}
