import {
  cancelRollout,
  createApp,
  recoverApp,
  removeApp,
  scaleComponent,
  setRunning,
  switchModules,
  updateApp,
} from "@sampan/delivery";
import { maskApp } from "@sampan/plan";
import { renderApp } from "@sampan/template";
import type { Handlers } from "../http/serve-contract.ts";
import { changeReply, mergeReply } from "./change-views.ts";
import { instanceHandlers } from "./instances.ts";
import { allowedApp, allowedRollout, pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";
import { appBrief, appView, rolloutView } from "./views.ts";

type AppNames =
  | "listApps"
  | "createApp"
  | "getApp"
  | "getAppText"
  | "updateApp"
  | "switchModules"
  | "setRunning"
  | "removeApp"
  | "scaleComponent"
  | "restartComponent"
  | "execComponent"
  | "getComponentLogs"
  | "getComponentStats"
  | "listRollouts"
  | "getRollout"
  | "cancelRollout"
  | "recoverApps"
  | "recoverApp";

export function appHandlers(parts: ServerParts): Pick<Handlers, AppNames> {
  return {
    ...editHandlers(parts),
    ...runHandlers(parts),
    ...lookHandlers(parts),
    ...instanceHandlers(parts),
    ...rolloutHandlers(parts),
  };
}

function editHandlers(parts: ServerParts): Pick<Handlers, "createApp" | "updateApp" | "switchModules"> {
  return {
    createApp: async ({ body }, context) => {
      context.allow(body.teamId);
      const { teamId, name, text, app, parameters, modules } = body;
      return await changeReply(
        parts,
        await createApp(
          parts,
          { by: context.actor, teamId, name, given: { text, app }, answers: { parameters, modules } },
          body,
        ),
      );
    },
    updateApp: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      const given =
        body.text === undefined && body.app === undefined
          ? {}
          : { given: { text: body.text, app: body.app } };
      const answers = {
        ...(body.parameters === undefined ? {} : { parameters: body.parameters }),
        ...(body.modules === undefined ? {} : { modules: body.modules }),
      };
      return await changeReply(
        parts,
        await updateApp(parts, { by: context.actor, app, answers, ...given }, body),
      );
    },
    switchModules: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      const { on, off, parameters } = body;
      const answers = { parameters, modules: { on, off } };
      return await mergeReply(parts, await switchModules(parts, { by: context.actor, app, answers }, body));
    },
  };
}

function runHandlers(parts: ServerParts): Pick<Handlers, "setRunning" | "removeApp" | "scaleComponent"> {
  return {
    setRunning: async ({ params, body }, context) =>
      await changeReply(
        parts,
        await setRunning(
          parts,
          { by: context.actor, app: await allowedApp(parts, context, params.id), running: body.running },
          body,
        ),
      ),
    removeApp: async ({ params }, context) => {
      const app = await allowedApp(parts, context, params.id);
      return await changeReply(parts, await removeApp(parts, { by: context.actor, app }, {}));
    },
    scaleComponent: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      return await changeReply(
        parts,
        await scaleComponent(
          parts,
          { by: context.actor, app, component: params.component, replicas: body.replicas },
          body,
        ),
      );
    },
  };
}

function lookHandlers(
  parts: ServerParts,
): Pick<Handlers, "listApps" | "getApp" | "getAppText" | "recoverApps" | "recoverApp"> {
  const { store, driver } = parts;
  return {
    listApps: async ({ query }, context) => {
      const sight = sightOf(context.actor);
      const team =
        query.team === undefined
          ? undefined
          : ((await store.teams.findByName(query.team)) ?? (await store.teams.get(query.team)));
      const filter = {
        ...(team === undefined ? {} : { teamId: team.id }),
        ...(query.name === undefined ? {} : { name: query.name }),
        ...(query.search === undefined ? {} : { search: query.search }),
      };
      return await viewPage(await store.apps.list(sight, filter, pageOf(query)), (app) =>
        appBrief(parts, app),
      );
    },
    getApp: async ({ params }, context) => await appView(parts, await allowedApp(parts, context, params.id)),
    getAppText: async ({ params }, context) => {
      const app = await allowedApp(parts, context, params.id);
      return { text: renderApp(maskApp(app.spec)), generation: app.generation };
    },
    recoverApps: async () => {
      const found = await driver.listApps();
      const known = new Set<string>();
      for (const { id } of found) {
        const [plan] = (await store.plans.list(id, { limit: 1 })).items;
        if (plan !== undefined) known.add(id);
      }
      return {
        items: found
          .filter((app) => !known.has(app.id))
          .map((app) => ({ ...app, components: [...app.components] })),
      };
    },
    recoverApp: async ({ params, body }, context) => {
      const wish = { by: context.actor, id: params.id, teamId: body.teamId, name: body.name };
      const recovered = await recoverApp(parts, wish);
      return { ...recovered, remarks: [...recovered.remarks] };
    },
  };
}

function rolloutHandlers(
  parts: ServerParts,
): Pick<Handlers, "listRollouts" | "getRollout" | "cancelRollout"> {
  return {
    listRollouts: async ({ params, query }, context) => {
      const app = await allowedApp(parts, context, params.id);
      return await viewPage(
        await parts.store.rollouts.list({ kind: "all" }, { appId: app.id }, pageOf(query)),
        (rollout) => rolloutView(parts, rollout),
      );
    },
    getRollout: async ({ params }, context) =>
      await rolloutView(parts, (await allowedRollout(parts, context, params.id)).rollout),
    cancelRollout: async ({ params }, context) => {
      const { rollout, app } = await allowedRollout(parts, context, params.id);
      return await rolloutView(parts, await cancelRollout(parts, app, rollout));
    },
  };
}
