import type { OnProgress } from "@sampan/content";
import type { StoredApp } from "@sampan/store";
import {
  type App,
  applyPublishChoices,
  appProblem,
  compareVersions,
  type PublishChoices,
  releaseOf,
  suggestNextVersion,
} from "@sampan/template";
import { captureImages } from "./capture-images.ts";
import { keepRelease, templateOf } from "./keep-release.ts";
import { readRelease, releasesOf } from "./library.ts";
import { observe } from "./observe.ts";
import type { Parts } from "./parts.ts";
import { deliveryProblem } from "./problems.ts";
import { type Finding, reportPublish } from "./publish-report.ts";
import type { Published, PublishPreview, PublishWish } from "./publish-wish.ts";

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
  const pins = await captureImages(parts, { app, spec, selected: wish.components }, options);
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
