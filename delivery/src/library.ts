import { type Digest, shortDigest } from "@sampan/content";
import { type Change, diffApps } from "@sampan/plan";
import { Bug, isProblem } from "@sampan/problem";
import type {
  Installation,
  Nouns,
  ReleaseSummary,
  Sight,
  StoredRelease,
  StoredTemplate,
} from "@sampan/store";
import { compareVersions, parseRelease, type Release } from "@sampan/template";
import { isInParts, releasesIn } from "./merge-base.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

/** What a release's document says, parsed. It was checked when it came in. */
export async function readRelease(
  parts: Pick<Parts, "store">,
  digest: Digest,
): Promise<{ readonly stored: StoredRelease; readonly release: Release }> {
  const stored = await parts.store.releases.get(digest);
  return { stored, release: releaseOfText(stored.document) };
}

export function releaseOfText(text: string): Release {
  const parsed = parseRelease(text);
  if (parsed.value === undefined)
    throw new Bug(`a stored release does not parse: ${parsed.faults[0]?.path} ${parsed.faults[0]?.message}`);
  return parsed.value;
}

export async function findTemplate(
  nouns: Pick<Nouns, "templates">,
  id: string,
): Promise<StoredTemplate | undefined> {
  try {
    return await nouns.templates.get(id);
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return undefined;
    throw error;
  }
}

/** Whether the template's releases may be seen by whoever has this sight. */
export function isInSight(template: StoredTemplate, sight: Sight): boolean {
  if (sight.kind === "all" || template.scope === "enterprise") return true;
  return template.teamId !== undefined && sight.teamIds.includes(template.teamId);
}

/** The listed releases of a template, newest version first. */
export async function releasesOf(
  parts: Pick<Parts, "store">,
  templateId: string,
): Promise<readonly ReleaseSummary[]> {
  const items: ReleaseSummary[] = [];
  let after: string | undefined;
  do {
    const page = await parts.store.releases.list(
      { templateId },
      after === undefined ? { limit: 200 } : { limit: 200, after },
    );
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items.toSorted((a, b) => compareVersions(b.version, a.version));
}

/**
 * What an installation can go to: newer versions, a release that took the place of the installed one's version, and the installed one
 * itself where some of it was left out.
 */
export async function availableFor(
  parts: Pick<Parts, "store">,
  installed: StoredRelease | ReleaseSummary,
  installation?: Pick<Installation, "names">,
): Promise<readonly ReleaseSummary[]> {
  const listed = await releasesOf(parts, installed.templateId);
  return listed.filter(
    (release) =>
      (release.digest !== installed.digest || (installation !== undefined && isInParts(installation))) &&
      compareVersions(release.version, installed.version) >= 0,
  );
}

export async function removeRelease(parts: Parts, digest: Digest): Promise<void> {
  const { stored, release } = await readRelease(parts, digest);
  if (await isInUse(parts, stored)) {
    throw deliveryProblem("RELEASE_INSTALLED", `${release.template.name} ${stored.version} is installed`, {
      why: `an app runs it`,
      hint: "remove that app, or upgrade it, first",
    });
  }
  await parts.store.releases.remove(digest);
  await dropReferences(parts, digest);
}

/** Also by an installation that was upgraded in parts, and has some of them from it. */
async function isInUse(parts: Pick<Parts, "store">, { digest, templateId }: StoredRelease): Promise<boolean> {
  let after: string | undefined;
  do {
    const request = after === undefined ? { limit: 200 } : { limit: 200, after };
    const page = await parts.store.installations.list({ kind: "all" }, { templateId }, request);
    if (page.items.some((one) => releasesIn(one).includes(digest))) return true;
    after = page.next;
  } while (after !== undefined);
  return false;
}

export async function removeTemplate(parts: Parts, templateId: string): Promise<void> {
  const users = await parts.store.installations.list({ kind: "all" }, { templateId }, { limit: 1 });
  if (users.items.length > 0) {
    throw deliveryProblem("RELEASE_INSTALLED", "a release of the template is installed", {
      hint: "remove the apps that run it first",
    });
  }
  const digests: Digest[] = [];
  let after: string | undefined;
  do {
    const page = await parts.store.releases.list(
      { templateId, replaced: "too" },
      after === undefined ? { limit: 200 } : { limit: 200, after },
    );
    digests.push(...page.items.map((one) => one.digest));
    after = page.next;
  } while (after !== undefined);
  await parts.store.templates.remove(templateId);
  for (const digest of digests) await dropReferences(parts, digest);
}

/** The names under which a release protects its images and blobs in the hold. */
export function referenceName(release: Digest, content: Digest): string {
  return `release/${release}/${content}`;
}

async function dropReferences(parts: Parts, release: Digest): Promise<void> {
  const found = await parts.hold.listReferences(`release/${release}/`, { limit: 1000 });
  for (const { name } of found) await parts.hold.removeReference(name);
}

/** The pinned images of a release with the components (and plugins) that use them. */
export function imagesOfRelease(
  release: Release,
): ReadonlyMap<Digest, { readonly name: string; readonly usedBy: readonly string[] }> {
  const images = new Map<Digest, { name: string; usedBy: string[] }>();
  const users = [...Object.entries(release.components), ...Object.entries(release.plugins ?? {})];
  for (const [name, { image }] of users) {
    if (image === undefined || typeof image === "string") continue;
    const known = images.get(image.id) ?? { name: image.name, usedBy: [] };
    images.set(image.id, { name: known.name, usedBy: [...known.usedBy, name] });
  }
  return images;
}

/** "Shop 3.0 (sha256:1a2b…)"; the digest alone when the release is not here any more. */
export async function releaseNameOf(parts: Pick<Parts, "store">, digest: Digest): Promise<string> {
  const found = await findRelease(parts, digest);
  if (found === undefined) return digest;
  const { name } = await parts.store.templates.get(found.templateId);
  return `${name} ${found.version} (${shortDigest(digest)})`;
}

export async function findRelease(
  parts: Pick<Parts, "store">,
  digest: Digest,
): Promise<StoredRelease | undefined> {
  try {
    return await parts.store.releases.get(digest);
  } catch (error) {
    if (isProblem(error, "STORE_ABSENT")) return undefined;
    throw error;
  }
}

/** What differs between two releases. */
export function releaseDiff(from: Release, to: Release): readonly Change[] {
  return diffApps(from, to);
}
