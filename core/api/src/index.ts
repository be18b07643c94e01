export { type Client, type ClientOptions, createClient, readEvents } from "./client.ts";
export { API_PREFIX, type Contract, contract, type RouteName } from "./contract.ts";
export { openApi } from "./openapi.ts";
export {
  type Actor,
  judge,
  PERMISSIONS,
  type Permission,
  TEAM_ROLES,
  type TeamRole,
  teamsWhere,
  type Verdict,
} from "./permissions.ts";
export type { BodyBytes, Route, RouteCall, RouteInput, RouteReply, RouteResult } from "./route.ts";
