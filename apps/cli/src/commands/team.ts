import { TEAM_ROLES, type TeamRole } from "@sampan/api";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { choiceArgument, withExamples } from "../command-options.ts";
import { all, findTeam } from "../find.ts";
import { renderTable } from "../render-table.ts";

export function declareTeam(program: Command, context: CommandContext): void {
  const team = program.command("team").description("teams and their members");
  declareList(team, context);
  declareCreate(team, context);
  declareRemove(team, context);
  declareMembers(team, context);
  declareMember(team, context);
}

function declareList(team: Command, context: CommandContext): void {
  const command = team
    .command("list")
    .description("the teams that you can see")
    .action(async () => {
      const client = await context.client();
      const items = await all((page) => client.listTeams({ query: page }));
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({ team: one.name, title: one.title, id: one.id })),
          "You are in no team.",
        ),
      );
    });
  withExamples(command, "sampan team list");
}

function declareCreate(team: Command, context: CommandContext): void {
  const command = team
    .command("create <name>")
    .description("make a team")
    .option("--title <text>", "name shown")
    .action(async (name: string, options: { title?: string }) => {
      const made = await (await context.client()).createTeam({ body: { name, ...options } });
      context.result(made, () => `Made team ${made.name}.`);
    });
  withExamples(command, "sampan team create sales --title 'Sales and support'");
}

function declareRemove(team: Command, context: CommandContext): void {
  const command = team
    .command("remove <name>")
    .description("remove a team that has no apps")
    .action(async (name: string) => {
      const client = await context.client();
      const found = await findTeam(context, client, name);
      await context.confirm(`Remove team ${found.name}?`);
      await client.removeTeam({ params: { id: found.id } });
      context.result({ removed: found.id }, () => `Removed team ${found.name}.`);
    });
  withExamples(command, "sampan team remove sales");
}

function declareMembers(team: Command, context: CommandContext): void {
  const command = team
    .command("members")
    .description("who is in the team (--team)")
    .action(async () => {
      const client = await context.client();
      const { id } = await findTeam(context, client);
      const { items } = await client.listMembers({ params: { id } });
      context.result({ items }, () =>
        renderTable(
          items.map((one) => ({ user: one.userName, role: one.role })),
          "Nobody is in it.",
        ),
      );
    });
  withExamples(command, "sampan team members --team sales");
}

function declareMember(team: Command, context: CommandContext): void {
  const command = team
    .command("member <user>")
    .addArgument(choiceArgument("<role>", "what the user may do; none takes out", [...TEAM_ROLES, "none"]))
    .description("put a user into the team (--team), change the role, or take the user out")
    .action(async (userName: string, role: TeamRole | "none") => {
      const client = await context.client();
      const { id, name } = await findTeam(context, client);
      if (role === "none") {
        await client.removeMember({ params: { id, userName } });
        return context.result({ removed: userName }, () => `${userName} is no longer in ${name}.`);
      }
      const member = await client.setMember({ params: { id, userName }, body: { role } });
      context.result(member, () => `${userName} is ${role} in ${name}.`);
    });
  withExamples(command, "sampan team member ada developer --team sales");
}
