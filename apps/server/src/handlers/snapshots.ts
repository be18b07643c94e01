import {
  type DataChanged,
  deliveryProblem,
  removeSnapshot,
  restoreSnapshot,
  takeSnapshot,
} from "@sampan/delivery";
import { isProblem } from "@sampan/problem";
import type { DataSnapshot } from "@sampan/store";
import type { RequestContext } from "../http/context.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { changeReply } from "./change-views.ts";
import { allowedApp, pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type SnapshotNames = "takeSnapshot" | "listSnapshots" | "getSnapshot" | "restoreSnapshot" | "removeSnapshot";

/** Data snapshots: captured volumes of apps. */
export function snapshotHandlers(parts: ServerParts): Pick<Handlers, SnapshotNames> {
  return { ...lookHandlers(parts), ...wishHandlers(parts) };
}

function lookHandlers(parts: ServerParts): Pick<Handlers, "listSnapshots" | "getSnapshot"> {
  const { dataSnapshots } = parts.store;
  return {
    listSnapshots: async ({ query }, context) => {
      const filter = query.app === undefined ? {} : { appId: query.app };
      return await viewPage(
        await dataSnapshots.list(sightOf(context.actor), filter, pageOf(query)),
        snapshotView,
      );
    },
    getSnapshot: async ({ params }, context) =>
      snapshotView(await allowedSnapshot(parts, context, params.id)),
  };
}

function wishHandlers(
  parts: ServerParts,
): Pick<Handlers, "takeSnapshot" | "restoreSnapshot" | "removeSnapshot"> {
  return {
    takeSnapshot: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      const wish = { by: context.actor, app, components: body.components };
      return await dataReply(parts, await takeSnapshot(parts, wish, body));
    },
    restoreSnapshot: async ({ params, body }, context) => {
      const { id, appId, appName } = await allowedSnapshot(parts, context, params.id);
      const app = await parts.store.apps.get(appId).catch((error: unknown) => {
        if (!isProblem(error, "STORE_ABSENT")) throw error;
        throw deliveryProblem("NOT_FOUND", `the app ${appName} is gone`, {
          hint: "data goes back into the app that it came from; a backup makes another app of it",
        });
      });
      const { components, volumes, captureFirst } = body;
      const wish = { by: context.actor, app, snapshotId: id, components, volumes, captureFirst };
      return await dataReply(parts, await restoreSnapshot(parts, wish, body));
    },
    removeSnapshot: async ({ params }, context) => {
      const { id } = await allowedSnapshot(parts, context, params.id);
      await removeSnapshot(parts, { by: context.actor, snapshotId: id });
      return undefined;
    },
  };
}

async function dataReply(parts: ServerParts, done: DataChanged) {
  return {
    ...(await changeReply(parts, done)),
    ...(done.snapshotId === undefined ? {} : { snapshotId: done.snapshotId }),
    remarks: [...done.remarks],
  };
}

/** The snapshot; to who is not of its team, there is none. Whether the person may do what the route is about is asked too. */
export async function allowedSnapshot(
  parts: ServerParts,
  context: RequestContext,
  id: string,
): Promise<DataSnapshot> {
  const snapshot = await parts.store.dataSnapshots.get(id);
  const { actor } = context;
  if (!actor.enterpriseAdministrator && actor.teams[snapshot.teamId] === undefined)
    throw deliveryProblem("NOT_FOUND", `there is no data snapshot ${id}`);
  context.allow(snapshot.teamId);
  return snapshot;
}

function snapshotView(snapshot: DataSnapshot) {
  return {
    ...snapshot,
    volumes: snapshot.volumes.map(({ component, volume, sizeBytes }) => ({ component, volume, sizeBytes })),
  };
}
