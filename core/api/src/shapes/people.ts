import { z } from "zod";
import { TEAM_ROLES } from "../permissions.ts";
import { route } from "../route.ts";
import { byId, id, page, pageQuery, time } from "./basics.ts";

const userName = z.string().regex(/^[a-z0-9][a-z0-9._-]{1,38}$/, "use 2 to 39 of a-z, 0-9, dot, dash and _");
const password = z.string().min(10, "at least 10 characters").max(256);
const role = z.enum(TEAM_ROLES);
const teamName = z.string().regex(/^[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?$/, "use 1 to 30 of a-z, 0-9 and -");

export const user = z.object({
  id,
  name: userName,
  displayName: z.string().max(120).optional(),
  enterpriseAdministrator: z.boolean(),
  disabled: z.boolean(),
  createdAt: time,
});

export const team = z.object({ id, name: teamName, title: z.string().max(120), createdAt: time });
export const member = z.object({ userId: id, userName, role });
export const token = z.object({
  id,
  name: z.string(),
  createdAt: time,
  lastUsedAt: time.optional(),
  expiresAt: time.optional(),
});

const me = z.object({
  user,
  enterprise: z.object({ name: z.string() }),
  teams: z.array(z.object({ team, role })),
});

const tag = "people";

export const peopleRoutes = {
  getSetup: route({
    method: "GET",
    path: "/setup",
    tag,
    summary: "Whether the first administrator is still to be made",
    permission: "public",
    reply: z.object({ needed: z.boolean() }),
  }),
  setup: route({
    method: "POST",
    path: "/setup",
    tag,
    summary: "Make the first administrator, the enterprise and a first team; only once",
    permission: "public",
    status: 201,
    body: z.object({
      enterprise: z.string().min(1).max(120),
      userName,
      password,
      teamName: teamName.default("default"),
    }),
    reply: z.object({ user, team }),
  }),
  login: route({
    method: "POST",
    path: "/session",
    tag,
    summary: "Log in; the session is kept in a cookie",
    permission: "public",
    body: z.object({ userName: z.string().max(100), password: z.string().max(256) }),
    reply: me,
  }),
  logout: route({
    method: "DELETE",
    path: "/session",
    tag,
    summary: "Log out",
    permission: "self.use",
    reply: "none",
  }),
  getMe: route({
    method: "GET",
    path: "/me",
    tag,
    summary: "Who I am, and my teams",
    permission: "self.use",
    reply: me,
  }),
  changePassword: route({
    method: "PUT",
    path: "/me/password",
    tag,
    summary: "Change my password; ends my other sessions",
    permission: "self.use",
    body: z.object({ current: z.string().max(256), next: password }),
    reply: "none",
  }),
  listTokens: route({
    method: "GET",
    path: "/me/tokens",
    tag,
    summary: "My API tokens",
    permission: "self.use",
    reply: page(token),
  }),
  createToken: route({
    method: "POST",
    path: "/me/tokens",
    tag,
    summary: "Make an API token; its secret is shown only now",
    permission: "self.use",
    status: 201,
    body: z.object({ name: z.string().min(1).max(80), expiresInDays: z.int().min(1).max(3650).optional() }),
    reply: z.object({ token, secret: z.string() }),
  }),
  removeToken: route({
    method: "DELETE",
    path: "/me/tokens/:id",
    tag,
    summary: "Revoke a token",
    permission: "self.use",
    params: byId,
    reply: "none",
  }),

  listUsers: route({
    method: "GET",
    path: "/users",
    tag,
    summary: "All users",
    permission: "enterprise.manage",
    query: z.object(pageQuery),
    reply: page(user),
  }),
  createUser: route({
    method: "POST",
    path: "/users",
    tag,
    summary: "Make a user",
    permission: "enterprise.manage",
    status: 201,
    body: z.object({
      userName,
      password,
      displayName: z.string().max(120).optional(),
      enterpriseAdministrator: z.boolean().default(false),
    }),
    reply: user,
  }),
  updateUser: route({
    method: "PATCH",
    path: "/users/:id",
    tag,
    summary: "Change a user: name shown, password, disabled, administrator",
    permission: "enterprise.manage",
    params: byId,
    body: z.object({
      displayName: z.string().max(120).optional(),
      password: password.optional(),
      disabled: z.boolean().optional(),
      enterpriseAdministrator: z.boolean().optional(),
    }),
    reply: user,
  }),
  listTeams: route({
    method: "GET",
    path: "/teams",
    tag,
    summary: "The teams that I can see",
    permission: "self.use",
    query: z.object(pageQuery),
    reply: page(team),
  }),
  createTeam: route({
    method: "POST",
    path: "/teams",
    tag,
    summary: "Make a team",
    permission: "enterprise.manage",
    status: 201,
    body: z.object({ name: teamName, title: z.string().max(120).optional() }),
    reply: team,
  }),
  removeTeam: route({
    method: "DELETE",
    path: "/teams/:id",
    tag,
    summary: "Remove a team that has no apps",
    permission: "enterprise.manage",
    params: byId,
    reply: "none",
  }),
  listMembers: route({
    method: "GET",
    path: "/teams/:id/members",
    tag,
    summary: "Who is in a team",
    permission: "app.read",
    params: byId,
    reply: page(member),
  }),
  setMember: route({
    method: "PUT",
    path: "/teams/:id/members/:userName",
    tag,
    summary: "Put a user into a team, or change the role",
    permission: "team.manage",
    params: z.object({ id, userName }),
    body: z.object({ role }),
    reply: member,
  }),
  removeMember: route({
    method: "DELETE",
    path: "/teams/:id/members/:userName",
    tag,
    summary: "Take a user out of a team",
    permission: "team.manage",
    params: z.object({ id, userName }),
    reply: "none",
  }),
};
