import type { Digest } from "@sampan/content";
import { availableFor, deliveryProblem, install, readRelease, upgrade } from "@sampan/delivery";
import type { Installation, StoredApp } from "@sampan/store";
import type { Handlers } from "../http/serve-contract.ts";
import { mergeReply } from "./change-views.ts";
import { allowedInstallation, pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type InstallationNames = "listInstallations" | "getInstallation" | "install" | "upgrade";

export function installationHandlers(parts: ServerParts): Pick<Handlers, InstallationNames> {
  return { ...lookHandlers(parts), ...wishHandlers(parts) };
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
        ...(await mergeReply(parts, done)),
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
        restoreOnReturn: body.restoreOnReturn,
        ...(body.capture === undefined ? {} : { capture: body.capture }),
        ...(body.mapping === undefined ? {} : { mapping: body.mapping }),
        ...(body.components === undefined ? {} : { components: body.components }),
        ...(body.modules === undefined ? {} : { modules: body.modules }),
      };
      return await mergeReply(parts, await upgrade(parts, wish, body));
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
    available: (await availableFor(parts, stored, installation)).map((one) => ({
      version: one.version,
      releaseDigest: one.digest,
    })),
    installedAt: installation.createdAt,
  };
}
