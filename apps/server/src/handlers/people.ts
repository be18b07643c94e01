import type { Actor } from "@sampan/api";
import { deliveryProblem } from "@sampan/delivery";
import { hashPassword } from "@sampan/identity";
import type { Member, Team, User } from "@sampan/store";
import type { RequestContext } from "../http/context.ts";
import { serverProblem } from "../http/problems.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { pageOf, sightOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type PeopleNames =
  | "listUsers"
  | "createUser"
  | "updateUser"
  | "listTeams"
  | "createTeam"
  | "removeTeam"
  | "listMembers"
  | "setMember"
  | "removeMember";

export function peopleHandlers(parts: ServerParts): Pick<Handlers, PeopleNames> {
  return { ...userHandlers(parts), ...teamHandlers(parts) };
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

export function userView(user: User) {
  return {
    id: user.id,
    name: user.name,
    ...(user.title === undefined ? {} : { displayName: user.title }),
    enterpriseAdministrator: user.administrator,
    disabled: user.disabled,
    createdAt: user.createdAt,
  };
}

export function teamView(team: Team) {
  return { id: team.id, name: team.name, title: team.title ?? team.name, createdAt: team.createdAt };
}

function memberView(member: Member) {
  return { userId: member.userId, userName: member.userName, role: member.role };
}
