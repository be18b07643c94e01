import type { Digest } from "@sampan/content";
import { type Decision, type InstallationNames, merge } from "@sampan/plan";
import type { Installation, StoredApp } from "@sampan/store";
import type { App } from "@sampan/template";
import { type Answers, moduleChoice } from "./apps.ts";
import type { Change, ChangeOptions } from "./change.ts";
import { type CaptureChoice, captureWish, dataPreview, dataRemarks } from "./data-wish.ts";
import { readRelease } from "./library.ts";
import { mergeBase, partsAfter } from "./merge-base.ts";
import { changeByMerge, type MergedChange } from "./merge-change.ts";
import type { Actor, Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import { mappingById, refuseEmptySelection } from "./upgrade-choice.ts";

export interface UpgradeWish extends Answers {
  readonly by: Actor;
  readonly app: StoredApp;
  readonly installation: Installation;
  readonly release: Digest;
  /** Only these components, and what they need in the new release; all when absent. */
  readonly components?: readonly string[] | undefined;
  /** By name of a component of the release: the name of the one here that it takes up, for one that was built anew. */
  readonly mapping?: Readonly<Record<string, string>> | undefined;
  /** By path of a property: what a person decided against the rules' default. */
  readonly decisions: Readonly<Record<string, Decision>>;
  readonly onFailure: "return" | "hold";
  /** Whose data is captured before; as the site's policy says when absent. */
  readonly capture?: CaptureChoice | undefined;
  /** Data that was captured is put back when the upgrade goes back by itself: what was written meanwhile is lost. */
  readonly restoreOnReturn?: boolean | undefined;
}

/**
 * Upgrades an installation: a three-way merge of what was installed, what is new and what the site made of it. Throws
 * UPGRADE_SELECTION, and what `merge` and `change` throw.
 */
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
  refuseEmptySelection(wish.components, to.release);
  const merged = merge({
    oldRelease: await mergeBase(parts, installation, from.release),
    newRelease: to.release,
    site: app.spec,
    installation: installation.id,
    names: installation.names as InstallationNames,
    decisions: wish.decisions,
    mapping: mappingById(wish.mapping ?? {}, { release: to.release, site: app.spec, installation }),
    ...(wish.components === undefined ? {} : { selection: wish.components }),
  });
  const inParts = partsAfter(installation, {
    selection: wish.components,
    release: wish.release,
    offered: to.release,
    site: app.spec,
    merged,
  });
  const modules = moduleChoice(wish.modules);
  const done = await changeByMerge(
    parts,
    { ...merged, names: { ...merged.names, ...(inParts === undefined ? {} : { parts: inParts }) } },
    {
      kind: "upgrade",
      by: wish.by,
      app,
      answers: wish.parameters ?? {},
      modules,
      installation: { id: installation.id, templateId: installation.templateId, releaseDigest: wish.release },
      fromRelease: installation.releaseDigest,
      toRelease: wish.release,
      declared: { next: to.release.preflight, before: from.release.preflight },
      decisions: wish.decisions,
      choices: choicesOf(wish),
      onFailure: wish.onFailure,
      ...(await dataOf(parts, wish, { spec: merged.app, modules: { ...app.modules, ...modules } })),
    },
    options,
  );
  return { ...done, remarks: [...done.remarks, ...dataRemarks(await dataPreview(parts, done.plan))] };
}

/** What is captured before. Only what came with this installation: others in the app are not disturbed. */
async function dataOf(
  parts: Parts,
  { app, installation, capture, restoreOnReturn = false }: UpgradeWish,
  after: Pick<StoredApp, "spec" | "modules">,
): Promise<Pick<Change, "data" | "restoreOnReturn">> {
  const { captureBeforeUpgrade } = await parts.store.policy.get();
  const choice = capture ?? (captureBeforeUpgrade || restoreOnReturn ? "all" : "none");
  if (restoreOnReturn && choice === "none")
    throw deliveryProblem("UPGRADE_SELECTION", "no data is captured that could be put back", {
      hint: "capture data before the upgrade (--capture), or do not ask for it to be put back",
    });
  const own = { spec: ofInstallation(app.spec, installation.id), modules: app.modules };
  const captured = captureWish(parts, own, choice, after);
  if (captured === undefined) return {};
  return { data: { capture: captured }, ...(restoreOnReturn ? { restoreOnReturn } : {}) };
}

function ofInstallation(spec: App, id: string): App {
  const own = Object.entries(spec.components).filter(([, { installation }]) => installation === id);
  return { ...spec, components: Object.fromEntries(own) };
}

function choicesOf({ components, mapping = {} }: UpgradeWish): Readonly<Record<string, string>> {
  return {
    ...(components === undefined ? {} : { selection: components.join(", ") }),
    ...Object.fromEntries(Object.entries(mapping).map(([name, here]) => [`mapping.${name}`, here])),
  };
}
