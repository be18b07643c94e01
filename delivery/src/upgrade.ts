import type { Digest } from "@sampan/content";
import { type Decision, type InstallationNames, merge } from "@sampan/plan";
import type { Installation, StoredApp } from "@sampan/store";
import { type Answers, moduleChoice } from "./apps.ts";
import type { ChangeOptions } from "./change.ts";
import { readRelease } from "./library.ts";
import { changeByMerge, type MergedChange } from "./merge-change.ts";
import type { Actor, Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";

export interface UpgradeWish extends Answers {
  readonly by: Actor;
  readonly app: StoredApp;
  readonly installation: Installation;
  readonly release: Digest;
  /** Only these components, and what they need in the new release; all when absent. */
  readonly components?: readonly string[];
  /** By path of a property: what a person decided against the rules' default. */
  readonly decisions: Readonly<Record<string, Decision>>;
  readonly onFailure: "return" | "hold";
}

/** Upgrades an installation: a three-way merge of what was installed, what is new and what the site made of it. */
export async function upgrade(
  parts: Parts,
  wish: UpgradeWish,
  options: ChangeOptions,
): Promise<MergedChange> {
  const { installation, app } = wish;
  const from = await readRelease(parts, installation.releaseDigest);
  const to = await readRelease(parts, wish.release);
  if (to.stored.templateId !== installation.templateId) {
    throw deliveryProblem(
      "UPGRADE_SELECTION",
      `${to.release.template.name} is another template than ${from.release.template.name}`,
      { hint: "install it beside, or choose a release of the same template" },
    );
  }
  const merged = merge({
    oldRelease: from.release,
    newRelease: to.release,
    site: app.spec,
    installation: installation.id,
    names: installation.names as InstallationNames,
    decisions: wish.decisions,
    ...(wish.components === undefined ? {} : { selection: wish.components }),
  });
  return await changeByMerge(
    parts,
    merged,
    {
      kind: "upgrade",
      by: wish.by,
      app,
      answers: wish.parameters ?? {},
      modules: moduleChoice(wish.modules, app.modules),
      installation: { id: installation.id, templateId: installation.templateId, releaseDigest: wish.release },
      fromRelease: installation.releaseDigest,
      toRelease: wish.release,
      decisions: wish.decisions,
      onFailure: wish.onFailure,
    },
    options,
  );
}
