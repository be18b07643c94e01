import type { Digest } from "@sampan/content";
import {
  deliveryProblem,
  imagesOfRelease,
  readRelease,
  releaseDiff,
  releasesOf,
  removeRelease,
  removeTemplate,
} from "@sampan/delivery";
import { maskApp } from "@sampan/plan";
import type { ReleaseSummary, StoredTemplate } from "@sampan/store";
import {
  type App,
  askedParameters,
  checkParameters,
  listGenerated,
  type ParameterValue,
  parameterForm,
  type Release,
  selectModules,
} from "@sampan/template";
import type { Handlers } from "../http/serve-contract.ts";
import {
  allowedRelease,
  allowedTemplate,
  pageOf,
  releaseToChange,
  sightOf,
  templateToChange,
  viewPage,
} from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type LibraryNames =
  | "listTemplates"
  | "getTemplate"
  | "updateTemplate"
  | "removeTemplate"
  | "getLogo"
  | "getRelease"
  | "getInstallForm"
  | "checkAnswers"
  | "diffReleases"
  | "removeRelease";

export function libraryHandlers(parts: ServerParts): Pick<Handlers, LibraryNames> {
  return { ...templateHandlers(parts), ...templateChangeHandlers(parts), ...releaseHandlers(parts) };
}

function templateHandlers(parts: ServerParts): Pick<Handlers, "listTemplates" | "getTemplate" | "getLogo"> {
  const { store } = parts;
  return {
    listTemplates: async ({ query }, context) => {
      const team =
        query.team === undefined
          ? undefined
          : ((await store.teams.findByName(query.team)) ?? (await store.teams.get(query.team)));
      const filter = {
        ...(query.search === undefined ? {} : { search: query.search }),
        ...(team === undefined ? {} : { teamId: team.id }),
      };
      return await viewPage(
        await store.templates.list(sightOf(context.actor), filter, pageOf(query)),
        (template) => templateView(parts, template),
      );
    },
    getTemplate: async ({ params }, context) => {
      const template = await allowedTemplate(parts, context, params.id);
      const releases = await releasesOf(parts, template.id);
      return {
        ...(await templateView(parts, template)),
        releaseList: await Promise.all(releases.map((release) => releaseBrief(parts, release))),
      };
    },
    getLogo: async ({ params }, context) => {
      const { logo } = await allowedTemplate(parts, context, params.id);
      const held = logo === undefined ? undefined : await parts.hold.stat(logo.digest);
      if (logo === undefined || held === undefined)
        throw deliveryProblem("NOT_FOUND", "the template has no logo");
      return {
        sizeBytes: held.size,
        contentType: logo.mediaType,
        etag: logo.digest,
        read: (range) => parts.hold.read(logo.digest, range),
      };
    },
  };
}

function templateChangeHandlers(parts: ServerParts): Pick<Handlers, "updateTemplate" | "removeTemplate"> {
  const { store } = parts;
  return {
    updateTemplate: async ({ params, body }, context) => {
      const template = await templateToChange(parts, context, params.id);
      const { scope, teamId, ...rest } = {
        ...template,
        ...Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)),
      } as StoredTemplate;
      if (scope === "team" && teamId === undefined)
        throw deliveryProblem("NOT_FOUND", "the template belongs to no team", {
          hint: "publish it from an app of a team",
        });
      const changed = await store.templates.put({
        ...rest,
        scope,
        ...(teamId === undefined ? {} : { teamId }),
      });
      await store.events.add({
        what: "template.change",
        who: context.actor.name,
        outcome: "done",
        subject: template.name,
        ...(teamId === undefined ? {} : { teamId }),
      });
      return await templateView(parts, changed);
    },
    removeTemplate: async ({ params }, context) => {
      const template = await templateToChange(parts, context, params.id);
      await removeTemplate(parts, template.id);
      await store.events.add({
        what: "template.remove",
        who: context.actor.name,
        outcome: "done",
        subject: template.name,
      });
      return undefined;
    },
  };
}

async function templateView(parts: ServerParts, template: StoredTemplate) {
  const releases = await releasesOf(parts, template.id);
  const [newest] = releases;
  return {
    id: template.id,
    name: template.name,
    ...(template.summary === undefined ? {} : { summary: template.summary }),
    tags: [...template.tags],
    scope: template.scope,
    ...(template.teamId === undefined ? {} : { teamId: template.teamId }),
    hasLogo: template.logo !== undefined,
    origin: template.origin,
    ...(newest === undefined
      ? {}
      : {
          latest: {
            version: newest.version,
            digest: newest.digest,
            ...(newest.alias === undefined ? {} : { alias: newest.alias }),
          },
        }),
    releases: releases.length,
    updatedAt: template.updatedAt,
  };
}

async function releaseBrief(parts: ServerParts, summary: ReleaseSummary) {
  const { release } = await readRelease(parts, summary.digest);
  const sizes = await Promise.all([...imagesOfRelease(release).keys()].map((id) => layersOf(parts, id)));
  const layers = new Map(sizes.flat());
  return {
    digest: summary.digest,
    templateId: summary.templateId,
    templateName: release.template.name,
    version: summary.version,
    ...(summary.alias === undefined ? {} : { alias: summary.alias }),
    ...(summary.notes === undefined ? {} : { notes: summary.notes }),
    publishedAt: summary.publishedAt,
    origin: summary.importedFrom === undefined ? ("published" as const) : ("imported" as const),
    ...(summary.signer === undefined ? {} : { signer: summary.signer }),
    components: Object.keys(release.components),
    sizeBytes: [...layers.values()].reduce((sum, size) => sum + size, 0),
    replaced: summary.replacedBy !== undefined,
  };
}

async function layersOf(
  parts: ServerParts,
  imageId: Digest,
): Promise<readonly (readonly [Digest, number])[]> {
  return (await parts.hold.image(imageId))?.layers.map(({ diffId, size }) => [diffId, size] as const) ?? [];
}

function releaseHandlers(
  parts: ServerParts,
): Pick<Handlers, "getRelease" | "getInstallForm" | "checkAnswers" | "diffReleases" | "removeRelease"> {
  return {
    getRelease: async ({ params }, context) => {
      const stored = await allowedRelease(parts, context, params.digest);
      const { release } = await readRelease(parts, stored.digest);
      const images = await Promise.all(
        [...imagesOfRelease(release)].map(async ([imageId, { name, usedBy }]) => {
          const held = await parts.hold.image(imageId);
          const sizeBytes = held?.layers.reduce((sum, layer) => sum + layer.size, 0) ?? 0;
          return {
            imageId,
            name,
            components: [...usedBy],
            sizeBytes,
            architecture: held?.architecture ?? "",
          };
        }),
      );
      return {
        ...(await releaseBrief(parts, stored)),
        release: maskApp(release as unknown as App) as unknown as Record<string, unknown>,
        images,
      };
    },
    getInstallForm: async ({ params }, context) => {
      await allowedRelease(parts, context, params.digest);
      return installFormOf((await readRelease(parts, params.digest)).release);
    },
    checkAnswers: async ({ params, body }, context) => {
      await allowedRelease(parts, context, params.digest);
      return checkAnswers((await readRelease(parts, params.digest)).release, body);
    },
    diffReleases: async ({ params }, context) => {
      await allowedRelease(parts, context, params.digest);
      await allowedRelease(parts, context, params.other);
      const [from, to] = [await readRelease(parts, params.digest), await readRelease(parts, params.other)];
      return { changes: [...releaseDiff(from.release, to.release)] };
    },
    removeRelease: async ({ params }, context) => {
      await releaseToChange(parts, context, params.digest);
      await removeRelease(parts, params.digest);
      await parts.store.events.add({
        what: "release.remove",
        who: context.actor.name,
        outcome: "done",
        subject: params.digest,
      });
      return undefined;
    },
  };
}

/** What installing would say of these answers. Passwords are not sent back. */
function checkAnswers(
  release: Release,
  given: {
    readonly parameters: Readonly<Record<string, ParameterValue>>;
    readonly modules: { readonly on: readonly string[]; readonly off: readonly string[] };
  },
) {
  const selection = selectModules(release, given.modules);
  const declared = release.parameters ?? {};
  const asked = askedParameters(release, selection.components);
  const { values, faults } = checkParameters(declared, given.parameters, { asked });
  const because = new Map(selection.pulledIn.map((one) => [one.name, one.because]));
  return {
    faults: [...selection.faults, ...faults].map(({ path, message }) => ({ path, message })),
    modules: Object.keys(release.modules ?? {}).map((name) => ({
      name,
      on: selection.on.includes(name),
      why: because.get(name),
    })),
    values: Object.fromEntries(
      Object.entries(values).filter(([name]) => declared[name]?.type !== "password"),
    ),
    asked,
  };
}

function installFormOf(release: Release) {
  const selection = selectModules(release, { on: [], off: [] });
  const form = parameterForm(release, Object.keys(release.components));
  return {
    parameters: form.groups.map(({ title, fields }) => ({
      group: title ?? "",
      items: fields.map((field) => ({ ...field })),
    })),
    modules: Object.entries(release.modules ?? {}).map(([name, rule]) => ({
      name,
      ...rule,
      on: selection.on.includes(name),
    })),
    generated: listGenerated(release).map((rule) => rule.key),
  };
}
