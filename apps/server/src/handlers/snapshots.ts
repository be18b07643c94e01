import { deliveryProblem } from "@sampan/delivery";
import type { DataSnapshot } from "@sampan/store";
import type { RequestContext } from "../http/context.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type SnapshotNames = "listSnapshots" | "getSnapshot";

/** Data snapshots: captured volumes of apps. */
export function snapshotHandlers(parts: ServerParts): Pick<Handlers, SnapshotNames> {
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
