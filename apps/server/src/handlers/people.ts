import type { Actor } from "@sampan/api";
import { deliveryProblem } from "@sampan/delivery";
import { hashPassword, hashToken, type LoginPace, newToken, verifyPassword } from "@sampan/identity";
import type { Member, Team, Token, User } from "@sampan/store";
import type { RequestContext } from "../http/context.ts";
import { serverProblem } from "../http/problems.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

export const SESSION_COOKIE = "sampan_session";
const SESSION_SECONDS = 12 * 3600;
const DAY_MS = 86_400_000;

type PeopleNames =
  | "getSetup"
  | "setup"
  | "login"
  | "logout"
  | "getMe"
  | "changePassword"
  | "listTokens"
  | "createToken"
  | "removeToken"
  | "listUsers"
  | "createUser"
  | "updateUser"
  | "listTeams"
  | "createTeam"
  | "removeTeam"
  | "listMembers"
  | "setMember"
  | "removeMember";

export function peopleHandlers(parts: ServerParts, pace: LoginPace): Pick<Handlers, PeopleNames> {
  return { ...selfHandlers(parts, pace), ...userHandlers(parts), ...teamHandlers(parts) };
}

type SelfNames =
  | "getSetup"
  | "setup"
  | "login"
  | "logout"
  | "getMe"
  | "changePassword"
  | "listTokens"
  | "createToken"
  | "removeToken";

function selfHandlers(parts: ServerParts, pace: LoginPace): Pick<Handlers, SelfNames> {
  const { store } = parts;
  return {
    getSetup: async () => ({ needed: (await store.users.count()) === 0 }),
    setup: async ({ body }) => {
      const passwordHash = await hashPassword(body.password);
      return await store.transaction(async (nouns) => {
        if ((await nouns.users.count()) > 0)
          throw serverProblem("API_SETUP_DONE", "this site was set up before", { hint: "log in" });
        const user = await nouns.users.create({ name: body.userName, passwordHash, administrator: true });
        const team = await nouns.teams.create({ name: body.teamName });
        await nouns.teams.setMember(team.id, user.id, "administrator");
        await nouns.settings.set("enterprise", body.enterprise);
        await nouns.events.add({ what: "site.setup", who: user.name, outcome: "done" });
        return { user: userView(user), team: teamView(team) };
      });
    },
    login: async ({ body }, context) => {
      const source = { userName: body.userName, address: context.facts.remoteAddress };
      const waitMs = pace.enter(source);
      if (waitMs > 0)
        throw serverProblem("API_SLOW_DOWN", "too many failed logins", {
          hint: `try again in ${Math.ceil(waitMs / 1000)} s`,
        });
      const found = await store.users.findByName(body.userName);
      // The hash is computed for unknown users too, so that the time does not tell who exists.
      const isRight = await verifyPassword(body.password, found?.passwordHash);
      const user = found?.user;
      if (!isRight || user === undefined || user.disabled) {
        await store.events.add({
          what: "session.login",
          who: body.userName.slice(0, 100),
          outcome: "refused",
        });
        throw serverProblem("API_LOGIN_REFUSED", "user name or password is wrong");
      }
      pace.passed(source);
      const secret = newToken();
      const expiresAt = new Date(parts.nowMs() + SESSION_SECONDS * 1000).toISOString();
      await store.tokens.create({
        userId: user.id,
        kind: "session",
        hash: hashToken(secret),
        label: context.facts.userAgent?.slice(0, 100) ?? "",
        expiresAt,
      });
      await store.events.add({ what: "session.login", who: user.name, outcome: "done" });
      context.cookies.push({ name: SESSION_COOKIE, value: secret, maxAgeSeconds: SESSION_SECONDS });
      return await meOf(parts, user);
    },
    logout: async (_input, context) => {
      context.cookies.push({ name: SESSION_COOKIE, value: undefined, maxAgeSeconds: 0 });
      if (context.tokenId !== undefined) await store.tokens.remove(context.actor.userId, context.tokenId);
      return undefined;
    },
    getMe: async (_input, context) => await meOf(parts, await store.users.get(context.actor.userId)),
    changePassword: async ({ body }, context) => {
      const found = await store.users.findByName(context.actor.name);
      if (found === undefined || !(await verifyPassword(body.current, found.passwordHash)))
        throw serverProblem("API_LOGIN_REFUSED", "the current password is wrong");
      await store.users.update(found.user.id, { passwordHash: await hashPassword(body.next) });
      await store.events.add({ what: "user.password", who: context.actor.name, outcome: "done" });
      return undefined;
    },
    listTokens: async (_input, context) =>
      await viewPage(await store.tokens.list(context.actor.userId, "token", { limit: 200 }), tokenView),
    createToken: async ({ body }, context) => {
      const secret = newToken();
      const expires =
        body.expiresInDays === undefined
          ? {}
          : { expiresAt: new Date(parts.nowMs() + body.expiresInDays * DAY_MS).toISOString() };
      const token = await store.tokens.create({
        userId: context.actor.userId,
        kind: "token",
        hash: hashToken(secret),
        label: body.name,
        ...expires,
      });
      return { token: tokenView(token), secret };
    },
    removeToken: async ({ params }, context) => {
      await store.tokens.remove(context.actor.userId, params.id);
      return undefined;
    },
  };
}

function userHandlers(parts: ServerParts): Pick<Handlers, "listUsers" | "createUser" | "updateUser"> {
  const { store } = parts;
  return {
    listUsers: async ({ query }) => await viewPage(await store.users.list(pageOf(query)), userView),
    createUser: async ({ body }, context) => {
      const user = await store.users.create({
        name: body.userName,
        passwordHash: await hashPassword(body.password),
        administrator: body.enterpriseAdministrator,
        ...(body.displayName === undefined ? {} : { title: body.displayName }),
      });
      await store.events.add({
        what: "user.create",
        who: context.actor.name,
        outcome: "done",
        subject: user.name,
      });
      return userView(user);
    },
    updateUser: async ({ params, body }, context) => {
      const isSelf = params.id === context.actor.userId;
      if (isSelf && (body.disabled === true || body.enterpriseAdministrator === false)) {
        throw serverProblem("API_FORBIDDEN", "you cannot take your own rights away", {
          hint: "let another administrator do it",
        });
      }
      const user = await store.users.update(params.id, {
        ...(body.displayName === undefined ? {} : { title: body.displayName }),
        ...(body.password === undefined ? {} : { passwordHash: await hashPassword(body.password) }),
        ...(body.disabled === undefined ? {} : { disabled: body.disabled }),
        ...(body.enterpriseAdministrator === undefined
          ? {}
          : { administrator: body.enterpriseAdministrator }),
      });
      await store.events.add({
        what: "user.change",
        who: context.actor.name,
        outcome: "done",
        subject: user.name,
      });
      return userView(user);
    },
  };
}

function teamHandlers(
  parts: ServerParts,
): Pick<Handlers, "listTeams" | "createTeam" | "removeTeam" | "listMembers" | "setMember" | "removeMember"> {
  const { store } = parts;
  const audit = (context: RequestContext, what: string, teamId: string, subject: string) =>
    store.events.add({ what, who: context.actor.name, outcome: "done", teamId, subject });
  return {
    listTeams: async ({ query }, context) =>
      await viewPage(await store.teams.list(sightOf(context.actor), pageOf(query)), teamView),
    createTeam: async ({ body }, context) => {
      const team = await store.teams.create({
        name: body.name,
        ...(body.title === undefined ? {} : { title: body.title }),
      });
      await audit(context, "team.create", team.id, team.name);
      return teamView(team);
    },
    removeTeam: async ({ params }, context) => {
      await store.teams.remove(params.id);
      await store.events.add({
        what: "team.remove",
        who: context.actor.name,
        outcome: "done",
        subject: params.id,
      });
      return undefined;
    },
    listMembers: async ({ params }, context) => {
      context.allow(params.id);
      return await viewPage(await store.teams.members(params.id, { limit: 200 }), memberView);
    },
    setMember: async ({ params, body }, context) => {
      context.allow(params.id);
      const user = await userNamed(parts, params.userName);
      await store.teams.setMember(params.id, user.id, body.role);
      await audit(context, "team.member", params.id, `${user.name} ${body.role}`);
      return { userId: user.id, userName: user.name, role: body.role };
    },
    removeMember: async ({ params }, context) => {
      context.allow(params.id);
      await store.teams.removeMember(params.id, (await userNamed(parts, params.userName)).id);
      await audit(context, "team.member", params.id, `${params.userName} none`);
      return undefined;
    },
  };
}

async function userNamed(parts: ServerParts, name: string): Promise<User> {
  const found = await parts.store.users.findByName(name);
  if (found === undefined)
    throw deliveryProblem("NOT_FOUND", `there is no user ${name}`, {
      hint: "an administrator of the enterprise makes users",
    });
  return found.user;
}

export async function actorOf(parts: Pick<ServerParts, "store">, user: User): Promise<Actor> {
  return {
    userId: user.id,
    name: user.name,
    enterpriseAdministrator: user.administrator,
    teams: await parts.store.teams.rolesOf(user.id),
  };
}

async function meOf(parts: ServerParts, user: User) {
  const roles = await parts.store.teams.rolesOf(user.id);
  const teams = await Promise.all(
    Object.entries(roles).map(async ([id, role]) => ({
      team: teamView(await parts.store.teams.get(id)),
      role,
    })),
  );
  return {
    user: userView(user),
    enterprise: { name: String((await parts.store.settings.get("enterprise")) ?? "") },
    teams,
  };
}

function userView(user: User) {
  return {
    id: user.id,
    name: user.name,
    ...(user.title === undefined ? {} : { displayName: user.title }),
    enterpriseAdministrator: user.administrator,
    disabled: user.disabled,
    createdAt: user.createdAt,
  };
}

function teamView(team: Team) {
  return { id: team.id, name: team.name, title: team.title ?? team.name, createdAt: team.createdAt };
}

function memberView(member: Member) {
  return { userId: member.userId, userName: member.userName, role: member.role };
}

function tokenView(token: Token) {
  return { ...token, name: token.label };
}
