import { appRoutes } from "./shapes/apps.ts";
import { bundleRoutes, jobRoutes } from "./shapes/bundles.ts";
import { installationRoutes } from "./shapes/installations.ts";
import { ledgerRoutes } from "./shapes/ledger.ts";
import { libraryRoutes } from "./shapes/library.ts";
import { peopleRoutes } from "./shapes/people.ts";
import { recordRoutes } from "./shapes/records.ts";
import { siteRoutes } from "./shapes/site.ts";
import { snapshotRoutes } from "./shapes/snapshots.ts";

/** Every route of /api/v1, by operation name. The server, the client and openapi.json are made from this one table. */
export const contract = {
  ...siteRoutes,
  ...peopleRoutes,
  ...appRoutes,
  ...libraryRoutes,
  ...installationRoutes,
  ...recordRoutes,
  ...snapshotRoutes,
  ...bundleRoutes,
  ...ledgerRoutes,
  ...jobRoutes,
};

export type Contract = typeof contract;
export type RouteName = keyof Contract;
export const API_PREFIX = "/api/v1";
