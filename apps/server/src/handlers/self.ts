import { hashPassword, hashToken, type LoginPace, newToken, verifyPassword } from "@sampan/identity";
import type { Token, User } from "@sampan/store";
import type { RequestContext } from "../http/context.ts";
import { serverProblem } from "../http/problems.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { viewPage } from "./lookup.ts";
import { teamView, userView } from "./people.ts";
import type { ServerParts } from "./server-parts.ts";

export const SESSION_COOKIE = "sampan_session";
const SESSION_SECONDS = 12 * 3600;
const DAY_MS = 86_400_000;

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

/** What one does with one's own account, and how the first one comes to be. */
export function selfHandlers(parts: ServerParts, pace: LoginPace): Pick<Handlers, SelfNames> {
  return { ...setupHandlers(parts), ...sessionHandlers(parts, pace), ...tokenHandlers(parts) };
}

/** The first administrator, the enterprise and a first team, once. Throws API_SETUP_DONE. */
export async function setUp(
  parts: Pick<ServerParts, "store">,
  wish: {
    readonly enterprise: string;
    readonly userName: string;
    readonly password: string;
    readonly teamName: string;
  },
) {
  const passwordHash = await hashPassword(wish.password);
  return await parts.store.transaction(async (nouns) => {
    if ((await nouns.users.count()) > 0)
      throw serverProblem("API_SETUP_DONE", "this site was set up before", { hint: "log in" });
    const user = await nouns.users.create({ name: wish.userName, passwordHash, administrator: true });
    const team = await nouns.teams.create({ name: wish.teamName });
    await nouns.teams.setMember(team.id, user.id, "administrator");
    await nouns.settings.set("enterprise", wish.enterprise);
    await nouns.events.add({ what: "site.setup", who: user.name, outcome: "done" });
    return { user, team };
  });
}

function setupHandlers(parts: ServerParts): Pick<Handlers, "getSetup" | "setup"> {
  return {
    getSetup: async () => ({ needed: (await parts.store.users.count()) === 0 }),
    setup: async ({ body }) => {
      const { user, team } = await setUp(parts, body);
      return { user: userView(user), team: teamView(team) };
    },
  };
}

function sessionHandlers(
  parts: ServerParts,
  pace: LoginPace,
): Pick<Handlers, "login" | "logout" | "getMe" | "changePassword"> {
  const { store } = parts;
  return {
    login: async ({ body }, context) => {
      const user = await checkPassword(parts, { pace, context, ...body });
      await beginSession(parts, context, user);
      await store.events.add({ what: "session.login", who: user.name, outcome: "done" });
      return await meOf(parts, user);
    },
    logout: async (_input, context) => {
      context.cookies.push({ name: SESSION_COOKIE, value: undefined, maxAgeSeconds: 0 });
      if (context.tokenId !== undefined) await store.tokens.remove(context.actor.userId, context.tokenId);
      return undefined;
    },
    getMe: async (_input, context) => await meOf(parts, await store.users.get(context.actor.userId)),
    changePassword: async ({ body }, context) => {
      const { name } = context.actor;
      const user = await checkPassword(parts, { pace, context, userName: name, password: body.current });
      // It ends every session; this one goes on as a new one.
      const changed = await store.users.update(user.id, { passwordHash: await hashPassword(body.next) });
      if (context.facts.usesCookie) await beginSession(parts, context, changed);
      await store.events.add({ what: "user.password", who: name, outcome: "done" });
      return undefined;
    },
  };
}

/** The user, when the password is right. Whoever fails is slowed down. Throws API_SLOW_DOWN, API_LOGIN_REFUSED. */
async function checkPassword(
  parts: ServerParts,
  attempt: {
    readonly pace: LoginPace;
    readonly context: RequestContext;
    readonly userName: string;
    readonly password: string;
  },
): Promise<User> {
  const { pace, context, userName, password } = attempt;
  const source = { userName, address: context.facts.remoteAddress };
  const waitMs = pace.enter(source);
  if (waitMs > 0)
    throw serverProblem("API_SLOW_DOWN", "too many failed logins", {
      hint: `try again in ${Math.ceil(waitMs / 1000)} s`,
    });
  const found = await parts.store.users.findByName(userName);
  // The hash is computed for unknown users too, so that the time does not tell who exists.
  const isRight = await verifyPassword(password, found?.passwordHash);
  if (!isRight || found === undefined || found.user.disabled) {
    await parts.store.events.add({ what: "session.login", who: userName.slice(0, 100), outcome: "refused" });
    throw serverProblem("API_LOGIN_REFUSED", "user name or password is wrong");
  }
  pace.passed(source);
  return found.user;
}

async function beginSession(parts: ServerParts, context: RequestContext, user: User): Promise<void> {
  const secret = newToken();
  await parts.store.tokens.create({
    userId: user.id,
    kind: "session",
    hash: hashToken(secret),
    label: context.facts.userAgent?.slice(0, 100) ?? "",
    expiresAt: new Date(parts.nowMs() + SESSION_SECONDS * 1000).toISOString(),
  });
  context.cookies.push({ name: SESSION_COOKIE, value: secret, maxAgeSeconds: SESSION_SECONDS });
}

function tokenHandlers(parts: ServerParts): Pick<Handlers, "listTokens" | "createToken" | "removeToken"> {
  const { store } = parts;
  return {
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

function tokenView(token: Token) {
  return { ...token, name: token.label };
}
