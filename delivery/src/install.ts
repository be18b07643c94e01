import type { Digest } from "@sampan/content";
import { merge } from "@sampan/plan";
import type { StoredApp } from "@sampan/store";
import { API_VERSION, type App } from "@sampan/template";
import { type Answers, moduleChoice, newApp } from "./apps.ts";
import type { ChangeOptions } from "./change.ts";
import { readRelease } from "./library.ts";
import { changeByMerge, type MergedChange } from "./merge-change.ts";
import type { Actor, Parts } from "./parts.ts";

export interface InstallWish extends Answers {
  readonly by: Actor;
  readonly release: Digest;
  readonly teamId: string;
  /** Name of the new app; the template's when absent. */
  readonly appName?: string;
  /** An app that exists: the release is added to it. */
  readonly into?: StoredApp;
}

/** Installs a release: a merge with nothing before it. */
export async function install(
  parts: Parts,
  wish: InstallWish,
  options: ChangeOptions,
): Promise<MergedChange> {
  const { stored, release } = await readRelease(parts, wish.release);
  const app =
    wish.into ??
    (await newApp(parts, { teamId: wish.teamId, name: wish.appName ?? nameOf(release.template.name) }));
  const site: App = wish.into?.spec ?? {
    apiVersion: API_VERSION,
    kind: "App",
    name: app.name,
    ...titled(release.title ?? release.template.name),
    components: {},
  };
  const id = parts.newId("ins");
  const merged = merge({ newRelease: release, site, installation: id });
  return await changeByMerge(
    parts,
    merged,
    {
      kind: "install",
      by: wish.by,
      app,
      answers: wish.parameters ?? {},
      modules: moduleChoice(wish.modules),
      installation: { id, templateId: stored.templateId, releaseDigest: stored.digest },
      toRelease: stored.digest,
      declared: { next: release.preflight },
      onFailure: "hold",
    },
    options,
  );
}

function titled(title: string): { readonly title: string } {
  return { title };
}

/** A template's name as an app's name. */
function nameOf(name: string): string {
  const plain = name
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[-0-9]+|-+$/g, "")
    .slice(0, 40);
  return plain === "" ? "app" : plain.replace(/-+$/, "");
}
