import type { Bundle, BundleRelease, ImportedBundle, Trust } from "@sampan/bundle";
import type { Digest, HeldImage, OnProgress } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import type { Nouns, StoredTemplate } from "@sampan/store";
import { parseRelease, type Release } from "@sampan/template";
import { BACKUP_ROLE, isCarrier } from "./backup-document.ts";
import { forgetParts, keepPart, type PartOfBundle, partOf, readOfBundle } from "./bundle-part.ts";
import { findTemplate, imagesOfRelease, referenceName } from "./library.ts";
import { type Actor, isoNow, type Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

export interface ImportWish {
  readonly path: string;
  readonly fileName: string;
  readonly scope: "team" | "enterprise";
  readonly teamId?: string;
  readonly allowUnsigned: boolean;
  readonly throttleBytesPerSecond?: number;
  readonly by: Actor;
}

export interface ImportOptions {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly onStep?: (name: string) => void | Promise<void>;
  /** Called when all of the bundle is verified, and before anything is changed: what it throws ends the import. */
  readonly onVerified?: (bundle: Bundle) => Promise<void>;
}

export interface Imported {
  /** False: a volume or a repair was taken, and others are still to come. Then nothing is in the library yet. */
  readonly complete: boolean;
  /** Numbers of the volumes that are still to come; `[1]` when it is the bundle itself that a repair was made for. */
  readonly missing: readonly number[];
  /** Absent when the file was the whole bundle. */
  readonly part?: PartOfBundle;
  readonly manifestDigest: Digest;
  readonly releases: readonly {
    readonly digest: Digest;
    readonly templateId: string;
    readonly templateName: string;
    readonly version: string;
    readonly replaced?: Digest;
  }[];
  readonly copiedBytes: number;
  readonly skippedBytes: number;
  readonly signer?: string;
  readonly remarks: readonly string[];
}

/**
 * Takes a bundle into the library: everything is verified before the library changes, and it changes in one transaction.
 * Stopped anywhere and begun again, it goes on with what it lacks. Of a volume or a repair all is kept; the library changes with the
 * file that makes the bundle complete, whichever it is.
 */
export async function importRelease(
  parts: Parts,
  wish: ImportWish,
  options: ImportOptions,
): Promise<Imported> {
  const begunMs = parts.nowMs();
  const bundle = await parts.bundles.openBundle(wish.path);
  try {
    const trust = await trustOf(parts, wish);
    await options.onStep?.("verify");
    await parts.bundles.verifyBundle(wish.path, {
      trust,
      held: parts.hold,
      signal: options.signal,
      onProgress: options.onProgress,
    });
    await options.onVerified?.(bundle);
    const wanted = await releasesToKeep(parts, bundle);
    await refuseAhead(parts, bundle, { wish, wanted });
    const content = await copyContent(parts, bundle, { wish, trust, options });
    const releases = content.complete
      ? await intoLibrary(parts, { wish, bundle, content, wanted, begunMs }, options)
      : [];
    const signer = content.signatures.trusted[0];
    const part = partOf(bundle);
    return {
      complete: content.complete,
      missing: content.missing,
      ...(part === undefined ? {} : { part }),
      manifestDigest: bundle.manifestDigest,
      releases,
      copiedBytes: content.copiedBytes,
      skippedBytes: content.skippedBytes,
      ...(signer === undefined ? {} : { signer }),
      remarks: isBackup(bundle)
        ? ["the file is the backup of an app: `sampan backup restore` makes the app of it, with its data"]
        : [],
    };
  } finally {
    await bundle.close();
  }
}

/** What can be told of releases before anything is copied: of a volume, only of those that it has or that have come. */
async function refuseAhead(
  parts: Parts,
  bundle: Bundle,
  { wish, wanted }: { readonly wish: ImportWish; readonly wanted: readonly BundleRelease[] },
): Promise<void> {
  for (const { digest } of wanted) {
    const bytes = await readOfBundle(parts, bundle, digest);
    if (bytes !== undefined) await refuseElsewhere(parts.store, readArrived(digest, bytes).release, wish);
  }
}

async function copyContent(
  parts: Parts,
  bundle: Bundle,
  by: { readonly wish: ImportWish; readonly trust: Trust; readonly options: ImportOptions },
): Promise<ImportedBundle> {
  const { signal, onProgress, onStep } = by.options;
  const { throttleBytesPerSecond } = by.wish;
  return await parts.bundles.importBundle(bundle, parts.hold, {
    trust: by.trust,
    protect: (manifest) => keepPart(parts, manifest),
    signal,
    onProgress,
    ...(throttleBytesPerSecond === undefined ? {} : { throttleBytesPerSecond }),
    ...(onStep === undefined ? {} : { onStep }),
  });
}

interface Complete {
  readonly wish: ImportWish;
  readonly bundle: Bundle;
  readonly content: ImportedBundle;
  readonly wanted: readonly BundleRelease[];
  readonly begunMs: number;
}

async function intoLibrary(
  parts: Parts,
  { wish, bundle, content, wanted, begunMs }: Complete,
  { onStep }: ImportOptions,
): Promise<Imported["releases"]> {
  const names = new Set(wanted.map(({ digest }) => digest));
  const arrived = content.releases
    .filter(({ digest }) => names.has(digest))
    .map(({ digest, bytes }) => ({ digest, ...readArrived(digest, bytes) }));
  // What an earlier attempt or volume left was not measured, and what is slowed down on purpose tells nothing.
  const isMeasure =
    content.skippedBytes === 0 && wish.throttleBytesPerSecond === undefined && bundle.part.kind === "whole";
  await onStep?.("protect");
  for (const one of arrived) await protect(parts, one, content.images);
  await onStep?.("library");
  const releases = await parts.store.transaction((nouns) =>
    keepReleases(nouns, parts, {
      wish,
      bundle,
      arrived,
      signer: content.signatures.trusted[0],
      ...(isMeasure ? { tookMs: parts.nowMs() - begunMs } : {}),
    }),
  );
  await forgetParts(parts, bundle);
  return releases;
}

export function isBackup({ document }: Pick<Bundle, "document">): boolean {
  return document.blobs.some((blob) => blob.role === BACKUP_ROLE);
}

/**
 * A backup carries the releases that its app was installed from: those that the library has stay as they are. What only carries the app's
 * images and data is nothing to install.
 */
async function releasesToKeep(
  parts: Pick<Parts, "store">,
  bundle: Bundle,
): Promise<readonly BundleRelease[]> {
  const { releases } = bundle.document;
  if (!isBackup(bundle)) return releases;
  const wanted: BundleRelease[] = [];
  for (const release of releases)
    if (!isCarrier(release) && !(await isHere(parts, release.digest))) wanted.push(release);
  return wanted;
}

async function isHere(parts: Pick<Parts, "store">, digest: Digest): Promise<boolean> {
  try {
    await parts.store.releases.get(digest);
    return true;
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return false;
    throw error;
  }
}

async function trustOf(parts: Parts, wish: ImportWish): Promise<Trust> {
  const known = await parts.store.trustedKeys.list({ limit: 200 });
  const keys = known.items.filter((key) => key.revokedAt === undefined).map((key) => key.publicKeyPem);
  return { keys: [parts.site.publicKeyPem, ...keys], accept: wish.allowUnsigned ? "any" : "signed" };
}

interface Arrived {
  readonly digest: Digest;
  readonly release: Release;
  readonly text: string;
}

function readArrived(
  digest: Digest,
  bytes: Uint8Array,
): { readonly release: Release; readonly text: string } {
  const text = new TextDecoder().decode(bytes);
  const parsed = parseRelease(text);
  if (parsed.value !== undefined) return { release: parsed.value, text };
  throw deliveryProblem("RELEASE_INVALID", `release ${digest} in the bundle cannot be read`, {
    faults: parsed.faults,
    hint: "it may come from a newer Sampan: update this site; else ask the vendor to publish it again",
  });
}

/** References first, release after: a release in the library never lacks its content, and a leftover reference only keeps too much. */
async function protect(
  parts: Parts,
  { digest, release }: Arrived,
  images: readonly HeldImage[],
): Promise<void> {
  const byId = new Map(images.map((image) => [image.imageId, image]));
  for (const [imageId, { name }] of imagesOfRelease(release)) {
    const image = byId.get(imageId) ?? (await parts.hold.image(imageId));
    if (image === undefined) {
      throw deliveryProblem("RELEASE_INVALID", `the bundle lacks the image ${name}`, {
        why: `release ${release.template.name} ${release.version} needs it`,
        hint: "ask the vendor to export it again",
      });
    }
    await parts.hold.setReference(referenceName(digest, imageId), image.manifest);
  }
  const { logo } = release.template;
  const size = logo === undefined ? undefined : (await parts.hold.stat(logo.digest))?.size;
  if (logo !== undefined && size !== undefined)
    await parts.hold.setReference(referenceName(digest, logo.digest), { ...logo, size });
}

/** A team may not take a template away from the enterprise or another team by importing it. Gives the template that is known. */
async function refuseElsewhere(
  nouns: Pick<Nouns, "templates">,
  { template }: Release,
  wish: ImportWish,
): Promise<StoredTemplate | undefined> {
  const known = await findTemplate(nouns, template.id);
  const isOwn = known?.scope === "team" && known.teamId === wish.teamId;
  if (known === undefined || wish.scope === "enterprise" || isOwn) return known;
  const owner = known.scope === "enterprise" ? "the enterprise" : "another team";
  throw deliveryProblem("TEMPLATE_ELSEWHERE", `the template ${template.id} belongs to ${owner}`, {
    hint: "let an administrator of the enterprise import the bundle for the enterprise",
  });
}

interface Arrival {
  readonly wish: ImportWish;
  readonly bundle: Bundle;
  readonly arrived: readonly Arrived[];
  readonly signer: string | undefined;
  /** Of an import from nothing. */
  readonly tookMs?: number;
}

async function keepReleases(
  nouns: Nouns,
  parts: Parts,
  { wish, bundle, arrived, signer, tookMs = 0 }: Arrival,
): Promise<Imported["releases"]> {
  const kept: Imported["releases"][number][] = [];
  for (const { digest, release, text } of arrived) {
    const { template, version, alias, notes } = release;
    const known = await refuseElsewhere(nouns, release, wish);
    const teamId = known === undefined && wish.scope === "team" ? wish.teamId : known?.teamId;
    await nouns.templates.put({
      id: template.id,
      name: template.name,
      scope: wish.scope,
      origin: "imported",
      tags: template.tags ?? [],
      ...(teamId === undefined ? {} : { teamId }),
      ...(template.summary === undefined ? {} : { summary: template.summary }),
      ...(template.logo === undefined ? {} : { logo: template.logo }),
    });
    const { replaced } = await nouns.releases.put({
      digest,
      templateId: template.id,
      version,
      document: text,
      publishedAt: isoNow(parts),
      importedFrom: bundle.manifestDigest,
      ...(alias === undefined ? {} : { alias }),
      ...(notes === undefined ? {} : { notes }),
      ...(signer === undefined ? {} : { signer }),
    });
    kept.push({
      digest,
      templateId: template.id,
      templateName: template.name,
      version,
      ...(replaced === undefined ? {} : { replaced: replaced.digest }),
    });
  }
  await nouns.imports.add({
    bundleDigest: bundle.manifestDigest,
    fileName: wish.fileName,
    sizeBytes: bundle.document.volumes?.reduce((sum, { size }) => sum + size, 0) ?? bundle.sizeBytes,
    releases: arrived.map((one) => one.digest),
    who: wish.by.name,
    ...(signer === undefined ? {} : { signer }),
    ...(tookMs > 0 ? { tookMs, layerBytes: bundle.document.sizes.layers } : {}),
  });
  await nouns.events.add({
    what: "bundle.import",
    who: wish.by.name,
    outcome: "done",
    subject: bundle.manifestDigest,
    ...(wish.teamId === undefined ? {} : { teamId: wish.teamId }),
  });
  return kept;
}
