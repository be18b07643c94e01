import type { ContentStore, Digest, HeldImage } from "@sampan/content";
import { digestHex, isDigest, shortDigest } from "@sampan/content";
import type { Desired, PreflightImage } from "@sampan/plan";
import type { Fault } from "@sampan/problem";
import type { Capabilities, Driver } from "@sampan/runtime";
import type { Store } from "@sampan/store";
import type { App } from "@sampan/template";
import { deliveryProblem } from "./problems.ts";

export interface ImageParts {
  readonly driver: Driver;
  readonly store: { readonly teams: Pick<Store["teams"], "findByName"> };
  readonly hold: Pick<ContentStore, "image" | "getReference"> & {
    captureFromBlobs(manifest: Digest): Promise<HeldImage>;
  };
}

/** By the text that an image stands under in an app: what it stands for. */
export type Pins = Readonly<Record<string, { readonly id: Digest; readonly name: string }>>;

/** What the names of images in an app stood for when it was resolved. */
export function pinsOf(app: App, desired: Desired): Pins {
  const pins: Record<string, { id: Digest; name: string }> = {};
  for (const { name, spec } of desired.components) {
    const image = app.components[name]?.image;
    if (typeof image === "string") pins[image] = { id: spec.image.id, name: image };
  }
  return pins;
}

/** The text that a component's image stands under in the app: a reference, or the name of a pinned image. */
export function imageReferences(app: App): ReadonlyMap<string, string[]> {
  const references = new Map<string, string[]>();
  for (const [name, component] of Object.entries(app.components)) {
    if (typeof component.image !== "string") continue;
    references.set(component.image, [...(references.get(component.image) ?? []), name]);
  }
  return references;
}

/**
 * Finds what each image reference of the app stands for: in the engine first, then among what was pushed to Sampan's own registry, but
 * not to the repositories of another team.
 * Nothing is fetched from anywhere else. What is known already is kept, or looked up again when that is preferred. Throws IMAGE_ABSENT.
 */
export async function pinImages(
  parts: ImageParts,
  app: App,
  options: {
    readonly pins: Pins;
    readonly prefer: "keep" | "renew";
    /** The app's. */
    readonly teamId: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Pins> {
  const pins: Record<string, Pins[string]> = {};
  const absent: { reference: string; components: string[] }[] = [];
  for (const [reference, components] of imageReferences(app)) {
    const known = Object.hasOwn(options.pins, reference) ? options.pins[reference] : undefined;
    const kept = options.prefer === "keep" ? known : undefined;
    const found = kept ?? (await findImage(parts, reference, options)) ?? known;
    if (found === undefined) absent.push({ reference, components });
    else pins[reference] = found;
  }
  if (absent.length > 0) {
    throw deliveryProblem(
      "IMAGE_ABSENT",
      absent.length === 1
        ? `image ${absent[0]?.reference} is not here`
        : `${absent.length} images are not here`,
      {
        faults: absent.map(({ reference, components }) => ({
          path: `components.${components.join(",")}.image`,
          message: `${reference} is neither in the engine nor in Sampan's registry`,
        })),
        hint: "build it with `docker build -t NAME`, load it with `docker load`, or push it to Sampan's registry",
      },
    );
  }
  return pins;
}

async function findImage(
  parts: ImageParts,
  reference: string,
  { teamId, signal }: { readonly teamId: string; readonly signal?: AbortSignal | undefined },
): Promise<Pins[string] | undefined> {
  const inEngine = await parts.driver.findImage(reference, signal);
  if (inEngine !== undefined) return { id: inEngine.id, name: reference };
  const held = isDigest(reference)
    ? await parts.hold.image(reference)
    : await pushedImage(parts, reference, teamId);
  return held === undefined ? undefined : { id: held.imageId, name: reference };
}

/** Pushed images stand under `registry/<repository>/tags/<tag>`; they are cut into the hold when they are first used. */
async function pushedImage(
  parts: ImageParts,
  reference: string,
  teamId: string,
): Promise<HeldImage | undefined> {
  const colon = reference.lastIndexOf(":");
  const hasTag = colon > reference.lastIndexOf("/");
  const repository = hasTag ? reference.slice(0, colon) : reference;
  const tag = hasTag ? reference.slice(colon + 1) : "latest";
  const owner = await parts.store.teams.findByName(repository.split("/")[0] ?? "");
  if (owner !== undefined && owner.id !== teamId) return undefined;
  const manifest = await parts.hold.getReference(`registry/${repository}/tags/${tag}`);
  return manifest === undefined ? undefined : await parts.hold.captureFromBlobs(manifest.digest);
}

/** The tag under which the registry serves a held image to the engine: repository `images`. */
export function imageTag(imageId: Digest): string {
  return digestHex(imageId);
}

/**
 * Looks for the image of every component, once each: in the engine, then in the hold, made for this machine. Throws IMAGE_ABSENT,
 * PLATFORM_UNFIT with all of them.
 */
export async function lookAtImages(
  parts: ImageParts,
  desired: Desired,
  machine: Pick<Capabilities, "os" | "architecture">,
): Promise<readonly PreflightImage[]> {
  const found = new Map<Digest, PreflightImage | undefined>();
  const absent: Fault[] = [];
  const unfit: Fault[] = [];
  for (const component of desired.components) {
    const { id, name } = component.spec.image;
    if (!found.has(id)) found.set(id, await lookAtImage(parts, { id, name }));
    const image = found.get(id);
    const path = `components.${component.name}.image`;
    if (image === undefined)
      absent.push({ path, message: `${name} (${shortDigest(id)}) is neither in the engine nor in the hold` });
    else if (image.architecture !== machine.architecture || image.os !== machine.os) {
      unfit.push({
        path,
        message: `${name} is made for ${image.os}/${image.architecture}, and this machine is ${machine.os}/${machine.architecture}`,
      });
    }
  }
  if (absent.length > 0) {
    throw deliveryProblem("IMAGE_ABSENT", "images are not here", {
      faults: absent,
      hint: "import the bundle that carries them",
    });
  }
  if (unfit.length > 0) {
    throw deliveryProblem("PLATFORM_UNFIT", "images are made for another machine", {
      faults: unfit,
      hint: `ask for a bundle for ${machine.os}/${machine.architecture}`,
    });
  }
  return [...found.values()].filter((image) => image !== undefined);
}

async function lookAtImage(
  parts: ImageParts,
  { id, name }: { readonly id: Digest; readonly name: string },
): Promise<PreflightImage | undefined> {
  const inEngine = await parts.driver.findImage(id);
  if (inEngine !== undefined) {
    const { os, architecture, sizeBytes } = inEngine;
    return { id, name, os, architecture, sizeBytes, inEngine: true };
  }
  const held = await parts.hold.image(id);
  if (held === undefined) return undefined;
  const sizeBytes = held.layers.reduce((sum, { size }) => sum + size, 0);
  return { id, name, os: held.os, architecture: held.architecture, sizeBytes, inEngine: false };
}
