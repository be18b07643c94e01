import type { Digest, HeldImage, OnProgress } from "@sampan/content";
import type { StoredApp } from "@sampan/store";
import type { App, PinnedImage } from "@sampan/template";
import { desiredOf } from "./desired-of.ts";
import { imageReferences } from "./images.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

interface Capture {
  readonly app: StoredApp;
  readonly spec: App;
  /** Components; all when absent. */
  readonly selected?: readonly string[] | undefined;
}

/** Takes the images that run, by their IDs, out of the engine and into the hold; those that are held are not read again. */
export async function captureImages(
  parts: Parts,
  capture: Capture,
  options: { readonly signal: AbortSignal; readonly onProgress: OnProgress },
) {
  const { app, spec } = capture;
  const desired = await desiredOf(parts, app);
  const selected = capture.selected ?? Object.keys(spec.components);
  const wanted = new Map<string, { id: Digest; name: string }>();
  for (const name of selected) {
    const running =
      desired?.components.find((one) => one.name === name)?.spec.image ??
      (await findUnused(parts, spec, name));
    if (running !== undefined) wanted.set(name, running);
  }
  const missing: Digest[] = [];
  for (const { id } of wanted.values())
    if ((await parts.hold.image(id)) === undefined && !missing.includes(id)) missing.push(id);
  if (missing.length > 0) {
    await parts.hold.captureImages(parts.driver.saveImages(missing, options.signal), {
      signal: options.signal,
      onProgress: options.onProgress,
    });
  }
  const components: Record<string, PinnedImage> = {};
  for (const [name, { id, name: imageName }] of wanted) {
    const held = await parts.hold.image(id);
    if (held === undefined)
      throw deliveryProblem("IMAGE_ABSENT", `the engine gave no image ${imageName}`, {
        why: `${name} runs ${id}`,
        hint: "look whether the engine still has it: docker image inspect",
      });
    components[name] = pinOf(held, imageName);
  }
  return { components };
}

/** A component that is off does not run, so its image is what its reference stands for now. */
async function findUnused(
  parts: Parts,
  spec: App,
  name: string,
): Promise<{ id: Digest; name: string } | undefined> {
  const image = spec.components[name]?.image;
  if (typeof image === "object") return image;
  const [reference] = [...imageReferences(spec)].find(([, users]) => users.includes(name)) ?? [];
  const found = reference === undefined ? undefined : await parts.driver.findImage(reference);
  return found === undefined || reference === undefined ? undefined : { id: found.id, name: reference };
}

function pinOf(held: HeldImage, name: string): PinnedImage {
  return { id: held.imageId, name, os: held.os, architecture: held.architecture };
}
