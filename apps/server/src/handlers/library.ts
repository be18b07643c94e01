import type { Digest } from "@sampan/content";
import {
  availableFor,
  deliveryProblem,
  imagesOfRelease,
  install,
  type PublishWish,
  previewPublish,
  readRelease,
  releaseDiff,
  releasesOf,
  removeRelease,
  removeTemplate,
  rollback,
  rollbackVerdict,
  upgrade,
} from "@sampan/delivery";
import type { Installation, ReleaseSummary, StoredApp, StoredRecord, StoredTemplate } from "@sampan/store";
import { listGenerated, parameterForm, type Release, selectModules } from "@sampan/template";
import type { Handlers } from "../http/serve-contract.ts";
import { changeReply } from "./apps.ts";
import {
  allowedApp,
  allowedInstallation,
  allowedRecord,
  allowedRelease,
  allowedTemplate,
  pageOf,
  sightOf,
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
  | "diffReleases"
  | "removeRelease";
type DeliveryNames =
  | "reportPublish"
  | "publish"
  | "listInstallations"
  | "getInstallation"
  | "install"
  | "upgrade"
  | "rollback"
  | "listRecords"
  | "getRecord";

export function libraryHandlers(parts: ServerParts): Pick<Handlers, LibraryNames | DeliveryNames> {
  return {
    ...templateHandlers(parts),
    ...releaseHandlers(parts),
    ...publishHandlers(parts),
    ...installationHandlers(parts),
    ...recordHandlers(parts),
  };
}

function templateHandlers(
  parts: ServerParts,
): Pick<Handlers, "listTemplates" | "getTemplate" | "updateTemplate" | "removeTemplate" | "getLogo"> {
  const { store } = parts;
  return {
    listTemplates: async ({ query }, context) => {
      const filter = query.search === undefined ? {} : { search: query.search };
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
    updateTemplate: async ({ params, body }, context) => {
      const template = await allowedTemplate(parts, context, params.id);
      const { scope, teamId, ...rest } = {
        ...template,
        ...Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)),
      } as StoredTemplate;
      if (scope === "team" && teamId === undefined)
        throw deliveryProblem("NOT_FOUND", "the template belongs to no team", {
          hint: "publish it from an app of a team",
        });
      return await templateView(
        parts,
        await store.templates.put({ ...rest, scope, ...(teamId === undefined ? {} : { teamId }) }),
      );
    },
    removeTemplate: async ({ params }, context) => {
      const template = await allowedTemplate(parts, context, params.id);
      await removeTemplate(parts, template.id);
      await store.events.add({
        what: "template.remove",
        who: context.actor.name,
        outcome: "done",
        subject: template.name,
      });
      return undefined;
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
): Pick<Handlers, "getRelease" | "getInstallForm" | "diffReleases" | "removeRelease"> {
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
        release: release as unknown as Record<string, unknown>,
        images,
      };
    },
    getInstallForm: async ({ params }, context) => {
      await allowedRelease(parts, context, params.digest);
      return installFormOf((await readRelease(parts, params.digest)).release);
    },
    diffReleases: async ({ params }, context) => {
      await allowedRelease(parts, context, params.digest);
      await allowedRelease(parts, context, params.other);
      const [from, to] = [await readRelease(parts, params.digest), await readRelease(parts, params.other)];
      return { changes: [...releaseDiff(from.release, to.release)] };
    },
    removeRelease: async ({ params }, context) => {
      await allowedRelease(parts, context, params.digest);
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

function publishHandlers(parts: ServerParts): Pick<Handlers, "reportPublish" | "publish"> {
  return {
    reportPublish: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      const preview = await previewPublish(
        parts,
        app,
        publishWish(
          app,
          { ...body, version: body.version ?? "", template: body.template ?? {} },
          context.actor,
        ),
      );
      return {
        findings: [...preview.findings],
        suggestedVersion: preview.suggestedVersion,
        ...(preview.replaces === undefined ? {} : { replaces: preview.replaces }),
        components: [...preview.components],
        changes: preview.changes.map((change) => ({ ...change })),
      };
    },
    publish: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      if (body.scope === "enterprise") context.require("library.write", app.teamId);
      const wish = publishWish(app, body, context.actor);
      const job = await parts.store.jobs.enqueue({
        kind: "publish",
        input: { wish, newTemplateId: newTemplateId(parts, body.template.name ?? app.name) },
        startedBy: context.actor.name,
        teamId: app.teamId,
        subject: app.id,
        lane: "publish",
      });
      return { jobId: job.id };
    },
  };
}

type PublishBody = Parameters<Handlers["publish"]>[0]["body"];
type PartialBody = { readonly [K in keyof PublishBody]?: PublishBody[K] | undefined } & Pick<
  PublishBody,
  "version" | "template"
>;

function publishWish(
  app: StoredApp,
  body: PartialBody,
  by: { readonly userId: string; readonly name: string },
): PublishWish {
  const given = Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined),
  ) as PublishBody;
  const template = Object.fromEntries(
    Object.entries(given.template).filter(([, value]) => value !== undefined),
  );
  const defaults = { scope: "team", values: [], scaling: {}, replace: false, accept: [] };
  return {
    ...defaults,
    ...given,
    template,
    appId: app.id,
    by: { userId: by.userId, name: by.name },
  } as PublishWish;
}

/** Readable, and the same nowhere else. */
function newTemplateId(parts: ServerParts, name: string): string {
  const stem = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  const tail = Buffer.from(parts.randomBytes(5)).toString("hex");
  return stem === "" ? `template-${tail}` : `${stem}-${tail}`;
}

function installationHandlers(
  parts: ServerParts,
): Pick<Handlers, "listInstallations" | "getInstallation" | "install" | "upgrade"> {
  const { store } = parts;
  return {
    listInstallations: async ({ query }, context) => {
      const filter = {
        ...(query.app === undefined ? {} : { appId: query.app }),
        ...(query.template === undefined ? {} : { templateId: query.template }),
      };
      return await viewPage(
        await store.installations.list(sightOf(context.actor), filter, pageOf(query)),
        async (one) => installationView(parts, one, await store.apps.get(one.appId)),
      );
    },
    getInstallation: async ({ params }, context) => {
      const { installation, app } = await allowedInstallation(parts, context, params.id);
      return await installationView(parts, installation, app);
    },
    install: async ({ body }, context) => {
      context.allow(body.teamId);
      const into = body.appId === undefined ? undefined : await store.apps.get(body.appId);
      if (into !== undefined) context.allow(into.teamId);
      await allowedReleaseIn(parts, body.release, body.teamId);
      const done = await install(
        parts,
        {
          by: context.actor,
          release: body.release,
          teamId: body.teamId,
          parameters: body.parameters,
          modules: body.modules,
          ...(into === undefined ? {} : { into }),
          ...(body.appName === undefined ? {} : { appName: body.appName }),
        },
        body,
      );
      return {
        ...mergeReply(done),
        ...(done.installationId === undefined ? {} : { installationId: done.installationId }),
      };
    },
    upgrade: async ({ params, body }, context) => {
      const { installation, app } = await allowedInstallation(parts, context, params.id);
      await allowedReleaseIn(parts, body.release, app.teamId);
      const { release, decisions, parameters, onFailure } = body;
      const wish = {
        by: context.actor,
        app,
        installation,
        release,
        decisions,
        parameters,
        onFailure,
        ...(body.components === undefined ? {} : { components: body.components }),
        ...(body.modules === undefined ? {} : { modules: body.modules }),
      };
      return mergeReply(await upgrade(parts, wish, body));
    },
  };
}

/** A team installs what is its own or the enterprise's, whatever else the person may see. */
async function allowedReleaseIn(parts: ServerParts, digest: Digest, teamId: string): Promise<void> {
  const release = await parts.store.releases.get(digest);
  const template = await parts.store.templates.get(release.templateId);
  if (template.scope === "team" && template.teamId !== teamId) {
    throw deliveryProblem("NOT_FOUND", "the team has no such release in its library", {
      hint: "make the template one of the enterprise, or install it in its own team",
    });
  }
}

type Merged = Awaited<ReturnType<typeof upgrade>>;

function mergeReply(done: Merged) {
  return {
    ...changeReply(done),
    changes: done.changes.map((change) => ({ ...change })),
    pulledIn: done.pulledIn.map((one) => ({ ...one })),
    remarks: [...done.remarks],
  };
}

async function installationView(parts: ServerParts, installation: Installation, app: StoredApp) {
  const { stored, release } = await readRelease(parts, installation.releaseDigest);
  return {
    id: installation.id,
    appId: app.id,
    appName: app.name,
    teamId: app.teamId,
    templateId: installation.templateId,
    templateName: release.template.name,
    version: stored.version,
    releaseDigest: stored.digest,
    components: Object.entries(app.spec.components)
      .filter(([, component]) => component.installation === installation.id)
      .map(([name]) => name),
    modulesOn: Object.keys(installation.modules).filter((name) => installation.modules[name]),
    available: (await availableFor(parts, stored)).map((one) => ({
      version: one.version,
      releaseDigest: one.digest,
    })),
    installedAt: installation.createdAt,
  };
}

function recordHandlers(parts: ServerParts): Pick<Handlers, "listRecords" | "getRecord" | "rollback"> {
  const { store } = parts;
  return {
    listRecords: async ({ query }, context) => {
      const filter = {
        ...(query.app === undefined ? {} : { appId: query.app }),
        ...(query.installation === undefined ? {} : { installationId: query.installation }),
      };
      return await viewPage(
        await store.records.list(sightOf(context.actor), filter, pageOf(query)),
        async (record) => recordView(parts, record, await store.apps.get(record.appId)),
      );
    },
    getRecord: async ({ params }, context) => {
      const { record, app } = await allowedRecord(parts, context, params.id);
      return await recordView(parts, record, app);
    },
    rollback: async ({ params, body }, context) => {
      const { record, app } = await allowedRecord(parts, context, params.id);
      return mergeReply(
        await rollback(
          parts,
          { by: context.actor, app, record, removeAdded: body.removeAdded, keepEdits: body.keepEdits },
          body,
        ),
      );
    },
  };
}

async function recordView(parts: ServerParts, record: StoredRecord, app: StoredApp) {
  const verdict = rollbackVerdict(record);
  const version = async (digest: Digest | undefined) =>
    digest === undefined
      ? undefined
      : parts.store.releases.get(digest).then(
          (release) => ({ version: release.version, digest }),
          () => ({ version: "?", digest }),
        );
  const [from, to] = [await version(record.fromRelease), await version(record.toRelease)];
  const rollout =
    record.rolloutId === undefined
      ? undefined
      : await parts.store.rollouts.get(record.rolloutId).catch(() => undefined);
  return {
    id: record.id,
    appId: app.id,
    appName: app.name,
    ...(record.installationId === undefined ? {} : { installationId: record.installationId }),
    kind: record.kind,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    state: record.rolloutState ?? record.result,
    ...(rollout?.reason === undefined ? {} : { result: rollout.reason }),
    ...(record.note === undefined ? {} : { note: record.note }),
    who: record.who,
    startedAt: record.startedAt,
    ...(record.endedAt === undefined ? {} : { endedAt: record.endedAt }),
    ...(record.rolloutId === undefined ? {} : { rolloutId: record.rolloutId }),
    canRollBack: verdict.possible,
    ...(verdict.possible ? {} : { cannotRollBackBecause: verdict.reason }),
  };
}
