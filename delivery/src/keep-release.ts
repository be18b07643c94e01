import type { Digest } from "@sampan/content";
import type { Nouns, StoredApp, StoredTemplate } from "@sampan/store";
import { type Release, releaseText, type Template } from "@sampan/template";
import { findTemplate, imagesOfRelease, referenceName } from "./library.ts";
import { isoNow, type Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import type { Published, PublishWish } from "./publish-wish.ts";

export async function templateOf(
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

export async function keepRelease(parts: Parts, made: Made): Promise<Published> {
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
