import type { Digest } from "@sampan/content";
import {
  availableFor,
  deliveryProblem,
  install,
  readRelease,
  rollback,
  rollbackVerdict,
  upgrade,
} from "@sampan/delivery";
import type { Installation, StoredApp, StoredRecord } from "@sampan/store";
import type { Handlers } from "../http/serve-contract.ts";
import { changeReply } from "./apps.ts";
import { allowedInstallation, allowedRecord, pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type InstallationNames =
  | "listInstallations"
  | "getInstallation"
  | "install"
  | "upgrade"
  | "rollback"
  | "listRecords"
  | "getRecord";

export function installationHandlers(parts: ServerParts): Pick<Handlers, InstallationNames> {
  return { ...lookHandlers(parts), ...wishHandlers(parts), ...recordHandlers(parts) };
}

function lookHandlers(parts: ServerParts): Pick<Handlers, "listInstallations" | "getInstallation"> {
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
  };
}

function wishHandlers(parts: ServerParts): Pick<Handlers, "install" | "upgrade"> {
  const { store } = parts;
  return {
    install: async ({ body }, context) => {
      context.allow(body.teamId);
      const into = body.appId === undefined ? undefined : await store.apps.get(body.appId);
      if (into !== undefined) context.allow(into.teamId);
      await allowedReleaseIn(parts, body.release, into?.teamId ?? body.teamId);
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
        ...mergeReply(parts, done),
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
      return mergeReply(parts, await upgrade(parts, wish, body));
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

function mergeReply(parts: ServerParts, done: Merged) {
  return {
    ...changeReply(parts, done),
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
      return {
        ...(await recordView(parts, record, app)),
        decisions: {},
        onFailure: "hold" as const,
        preflight: [],
        steps: [],
        checks: [],
        reportAvailable: false,
      };
    },
    rollback: async ({ params, body }, context) => {
      const { record, app } = await allowedRecord(parts, context, params.id);
      return mergeReply(
        parts,
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
