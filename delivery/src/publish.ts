import type { Digest, HeldImage, OnProgress } from "@sampan/content";
import type { Nouns, StoredApp, StoredTemplate } from "@sampan/store";
import {
  type App,
  applyPublishChoices,
  appProblem,
  compareVersions,
  type PinnedImage,
  type PublishChoices,
  type Release,
  releaseOf,
  releaseText,
  suggestNextVersion,
  type Template,
} from "@sampan/template";
import { desiredOf } from "./desired-of.ts";
import { imageReferences } from "./images.ts";
import { findTemplate, imagesOfRelease, readRelease, referenceName, releasesOf } from "./library.ts";
import { observe } from "./observe.ts";
import { type Actor, isoNow, type Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import { type Finding, type PublishReport, reportPublish } from "./publish-report.ts";

export interface PublishWish {
  readonly appId: string;
  readonly by: Actor;
  readonly template: {
    /** Of a template that exists; else `name` makes a new one. */
    readonly id?: string;
    readonly name?: string;
    readonly summary?: string;
    readonly tags?: readonly string[];
    readonly logo?: {
      readonly mediaType: "image/png" | "image/jpeg" | "image/svg+xml";
      readonly base64: string;
    };
  };
  readonly scope: "team" | "enterprise";
  readonly version: string;
  readonly alias?: string;
  readonly notes?: string;
  readonly components?: readonly string[];
  readonly values: readonly {
    readonly path: string;
    readonly as: "fixed" | "ask" | "random";
    readonly title?: string;
  }[];
  readonly scaling: Readonly<Record<string, unknown>>;
  readonly replace: boolean;
  readonly accept: readonly string[];
}

export interface PublishPreview extends PublishReport {
  readonly suggestedVersion: string;
  readonly replaces?: Digest;
}

export interface Published {
  readonly digest: Digest;
  readonly templateId: string;
  readonly templateName: string;
  readonly version: string;
  readonly replaced?: Digest;
  readonly images: number;
}

/** What publishing would do, and what must be accepted first. Changes nothing. */
export async function previewPublish(
  parts: Parts,
  app: StoredApp,
  wish: PublishWish,
): Promise<PublishPreview> {
  const { spec, previous, known } = await prepare(parts, app, wish);
  const seen = await observe(parts, app);
  const report = reportPublish({
    app,
    spec,
    desired: seen.desired,
    health: seen.components,
    selected: wish.components ?? Object.keys(spec.components),
    fixedPaths: new Set(
      wish.values.filter((value) => value.as === "fixed").map((value) => fullPath(value.path)),
    ),
    ...(previous === undefined ? {} : { previous }),
  });
  const same = known.find((one) => one.version === wish.version);
  const versions = known.map((one) => one.version);
  return {
    ...report,
    suggestedVersion: suggestNextVersion(versions, spec.version),
    ...(same === undefined ? {} : { replaces: same.digest }),
  };
}

/**
 * Publishes what runs: its exact images are captured into the hold, and the release stands in the library in one transaction, last.
 * Stopped anywhere and begun again, it goes on; until the end nothing is to be seen of it. Throws PUBLISH_REFUSED with the findings.
 */
export async function publish(
  parts: Parts,
  wish: PublishWish,
  options: { readonly signal: AbortSignal; readonly onProgress: OnProgress; readonly newTemplateId: string },
): Promise<Published> {
  const app = await parts.store.apps.get(wish.appId);
  const preview = await previewPublish(parts, app, wish);
  refuse(wish, preview);
  const { spec, previous, template: existing } = await prepare(parts, app, wish);
  const pins = await captureImages(parts, { app, spec, previous, wish }, options);
  const template = await templateOf(parts, { wish, app, existing, newId: options.newTemplateId });
  const {
    value: release,
    faults,
    omitted,
  } = releaseOf(spec, {
    template,
    version: wish.version,
    images: pins,
    ...(wish.alias === undefined ? {} : { alias: wish.alias }),
    ...(wish.notes === undefined ? {} : { notes: wish.notes }),
    ...(wish.components === undefined ? {} : { components: wish.components }),
    ...(previous === undefined ? {} : { previous }),
  });
  if (release === undefined) throw appProblem(`the release ${wish.version}`, faults);
  if (omitted.length > 0 && !accepts(wish, "OMITTED")) {
    throw deliveryProblem("PUBLISH_REFUSED", "something of the app would not be in the release", {
      faults: omitted,
      hint: "select what it needs, or accept it with --accept OMITTED",
    });
  }
  return await keepRelease(parts, { wish, app, release });
}

/** The app with the publisher's choices applied, and what was published before. */
async function prepare(parts: Parts, app: StoredApp, wish: PublishWish) {
  const template =
    wish.template.id === undefined ? undefined : await parts.store.templates.get(wish.template.id);
  const known = template === undefined ? [] : await releasesOf(parts, template.id);
  const newest = known.toSorted((a, b) => compareVersions(b.version, a.version))[0];
  const previous = newest === undefined ? undefined : (await readRelease(parts, newest.digest)).release;
  const scaled = withScaling(app.spec, wish.scaling);
  const { app: spec, faults } = applyPublishChoices(scaled, choicesOf(wish.values));
  if (faults.length > 0) throw appProblem("the publisher's choices", faults);
  return { template, known, previous, spec };
}

function withScaling(spec: App, scaling: PublishWish["scaling"]): App {
  const components = Object.entries(spec.components).map(([name, component]) => {
    const rule = scaling[name] as typeof component.scaling;
    return [name, rule === undefined ? component : { ...component, scaling: rule }];
  });
  return { ...spec, components: Object.fromEntries(components) };
}

/** `web.env.TITLE` and `components.web.env.TITLE` name the same. */
function fullPath(path: string): string {
  return path.startsWith("components.") ? path : `components.${path}`;
}

function choicesOf(values: PublishWish["values"]): PublishChoices {
  const choices: Record<
    string,
    { env?: Record<string, PublishChoice>; connection?: Record<string, PublishChoice> }
  > = {};
  for (const { path, as } of values) {
    const [, component, place, name] = fullPath(path).split(".");
    if (component === undefined || name === undefined || (place !== "env" && place !== "connection")) {
      if (as === "fixed") continue;
      throw deliveryProblem(
        "PUBLISH_REFUSED",
        `${path} cannot be ${as === "ask" ? "asked" : "made at random"}`,
        {
          why: "only values of env and connection can",
          hint: "write COMPONENT.env.NAME or COMPONENT.connection.NAME",
        },
      );
    }
    choices[component] ??= {};
    const places = choices[component];
    places[place] = { ...places[place], [name]: { kind: as } };
  }
  return choices;
}

type PublishChoice = { readonly kind: "fixed" | "ask" | "random" };

function accepts(wish: PublishWish, code: string): boolean {
  return wish.accept.includes("all") || wish.accept.includes(code);
}

function refuse(wish: PublishWish, preview: PublishPreview): void {
  const open = preview.findings.filter(
    (finding) => finding.level === "blocks" || (finding.level === "ask" && !accepts(wish, finding.code)),
  );
  if (open.length > 0) {
    throw deliveryProblem(
      "PUBLISH_REFUSED",
      `the publish report has ${open.length === 1 ? "a finding" : `${open.length} findings`}`,
      {
        faults: open.map(describeFinding),
        hint: `mend them, or accept them: ${[...new Set(open.map((finding) => `--accept ${finding.code}`))].join(" ")}`,
      },
    );
  }
  if (preview.replaces !== undefined && !wish.replace) {
    throw deliveryProblem("VERSION_EXISTS", `version ${wish.version} was published before`, {
      hint: `publish it as ${preview.suggestedVersion}, or say that it is to be replaced (--replace)`,
    });
  }
}

function describeFinding(finding: Finding) {
  return {
    path: finding.path ?? (finding.component === undefined ? "" : `components.${finding.component}`),
    message: `${finding.code}: ${finding.text}`,
  };
}

interface Capture {
  readonly app: StoredApp;
  readonly spec: App;
  readonly previous: Release | undefined;
  readonly wish: PublishWish;
}

/** Takes the images that run, by their IDs, out of the engine and into the hold; those that are held are not read again. */
async function captureImages(
  parts: Parts,
  capture: Capture,
  options: { readonly signal: AbortSignal; readonly onProgress: OnProgress },
) {
  const { app, spec, wish } = capture;
  const desired = await desiredOf(parts, app);
  const selected = wish.components ?? Object.keys(spec.components);
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

async function templateOf(
  parts: Parts,
  of: {
    readonly wish: PublishWish;
    readonly app: StoredApp;
    readonly existing: StoredTemplate | undefined;
    readonly newId: string;
  },
): Promise<Template> {
  const { wish, app, existing } = of;
  const summary = wish.template.summary ?? existing?.summary;
  const tags = wish.template.tags ?? existing?.tags ?? [];
  const logo = wish.template.logo === undefined ? existing?.logo : await keepLogo(parts, wish.template.logo);
  return {
    id: existing?.id ?? of.newId,
    name: wish.template.name ?? existing?.name ?? app.spec.title ?? app.name,
    ...(summary === undefined ? {} : { summary }),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
    ...(logo === undefined ? {} : { logo: logo as NonNullable<Template["logo"]> }),
  };
}

const LOGO_BYTES_MAX = 512 * 1024;

async function keepLogo(
  parts: Parts,
  logo: NonNullable<PublishWish["template"]["logo"]>,
): Promise<NonNullable<Template["logo"]>> {
  const bytes = Buffer.from(logo.base64, "base64");
  if (bytes.byteLength > LOGO_BYTES_MAX)
    throw deliveryProblem("PUBLISH_REFUSED", "the logo is too large", {
      why: `it has ${bytes.byteLength} bytes; ${LOGO_BYTES_MAX} are allowed`,
    });
  const digest = parts.sha256Bytes(bytes);
  await parts.hold.writeBlob(digest, bytes);
  return { digest, mediaType: logo.mediaType };
}

interface Made {
  readonly wish: PublishWish;
  readonly app: StoredApp;
  readonly release: Release;
}

async function keepRelease(parts: Parts, made: Made): Promise<Published> {
  const { release } = made;
  const text = releaseText(release);
  const digest = parts.sha256(text);
  const images = imagesOfRelease(release);
  await protectContent(parts, digest, release);
  const replaced = await parts.store.transaction((nouns) =>
    addToLibrary(nouns, parts, { ...made, digest, text }),
  );
  return {
    digest,
    templateId: release.template.id,
    templateName: release.template.name,
    version: release.version,
    images: images.size,
    ...(replaced === undefined ? {} : { replaced }),
  };
}

/** References first, release after: a release in the library never lacks its content. */
async function protectContent(parts: Parts, digest: Digest, release: Release): Promise<void> {
  for (const [id, { name }] of imagesOfRelease(release)) {
    const held = await parts.hold.image(id);
    if (held !== undefined) await parts.hold.setReference(referenceName(digest, id), held.manifest);
    // Looked at again: a pruning may have come between.
    if (held !== undefined && (await parts.hold.image(id)) !== undefined) continue;
    await parts.hold.removeReference(referenceName(digest, id));
    throw deliveryProblem("IMAGE_ABSENT", `the image ${name} left the hold while it was published`, {
      why: "the hold was pruned meanwhile",
      hint: "publish it again",
    });
  }
  const { logo } = release.template;
  if (logo === undefined) return;
  const size = (await parts.hold.stat(logo.digest))?.size ?? 0;
  await parts.hold.setReference(referenceName(digest, logo.digest), { ...logo, size });
}

async function addToLibrary(
  nouns: Nouns,
  parts: Parts,
  made: Made & { readonly digest: Digest; readonly text: string },
): Promise<Digest | undefined> {
  const { wish, app, release, digest } = made;
  const { template } = release;
  const before = await findTemplate(nouns, template.id);
  await nouns.templates.put({
    id: template.id,
    name: template.name,
    // What everybody has is not taken away by a release: that is done to the template itself.
    scope: before?.scope === "enterprise" ? "enterprise" : wish.scope,
    teamId: before?.teamId ?? app.teamId,
    origin: "published",
    tags: template.tags ?? [],
    ...(template.summary === undefined ? {} : { summary: template.summary }),
    ...(template.logo === undefined ? {} : { logo: template.logo }),
  });
  const kept = await nouns.releases.put({
    digest,
    templateId: template.id,
    version: release.version,
    document: made.text,
    publishedAt: isoNow(parts),
    ...(release.alias === undefined ? {} : { alias: release.alias }),
    ...(release.notes === undefined ? {} : { notes: release.notes }),
  });
  await nouns.events.add({
    what: "release.publish",
    who: wish.by.name,
    outcome: "done",
    teamId: app.teamId,
    appId: app.id,
    subject: digest,
  });
  return kept.replaced?.digest;
}
