import type { Client } from "@sampan/api";
import { isDigest } from "@sampan/content";
import { isProblem } from "@sampan/problem";
import { compareVersions } from "@sampan/template";
import type { CommandContext } from "./command-context.ts";
import { cliProblem } from "./problems.ts";

export type AppBrief = Awaited<ReturnType<Client["listApps"]>>["items"][number];
export type Team = Awaited<ReturnType<Client["listTeams"]>>["items"][number];
export type ReleaseBrief = Awaited<ReturnType<Client["getTemplate"]>>["releaseList"][number];
export type SiteBrief = Awaited<ReturnType<Client["listLedger"]>>["items"][number];
export type TemplateView = Awaited<ReturnType<Client["listTemplates"]>>["items"][number];

const PAGE = 200;

/** Every item of a list, page after page. */
export async function all<T>(
  list: (page: {
    readonly limit: number;
    readonly after?: string;
  }) => Promise<{ items: readonly T[]; next?: string | undefined }>,
): Promise<T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const page = await list(after === undefined ? { limit: PAGE } : { limit: PAGE, after });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

/** The team of that name; else of --team, the only one, or `default`. */
export async function findTeam(
  context: CommandContext,
  client: Client,
  name: string | undefined = context.teamName(),
): Promise<Team> {
  const teams = await all((page) => client.listTeams({ query: page }));
  if (name === undefined) {
    const only = teams.length === 1 ? teams[0] : teams.find((team) => team.name === "default");
    if (only !== undefined) return only;
    throw cliProblem("CLI_AMBIGUOUS", teams.length === 0 ? "you are in no team" : "say which team", {
      why: teams.length === 0 ? "no team has you as a member" : teams.map((team) => team.name).join(", "),
      hint: teams.length === 0 ? "ask an administrator" : "use --team NAME or SAMPAN_TEAM",
    });
  }
  const team = teams.find((one) => one.name === name || one.id === name);
  if (team === undefined)
    throw cliProblem("CLI_ABSENT", `there is no team ${name} that you can see`, { hint: "sampan team list" });
  return team;
}

/** `NAME`, `TEAM/NAME` or an id. */
export async function findApp(context: CommandContext, client: Client, text: string): Promise<AppBrief> {
  const slash = text.indexOf("/");
  const name = text.slice(slash + 1);
  const team = slash < 0 ? context.teamName() : text.slice(0, slash);
  const apps = await all((page) =>
    client.listApps({ query: { ...page, ...(team === undefined ? {} : { team }) } }),
  );
  const found = apps.filter((app) => app.id === text || app.name === name);
  return onlyOne(found, {
    absent: () =>
      cliProblem("CLI_ABSENT", `there is no app ${text} that you can see`, { hint: "sampan app list" }),
    many: `${found.length} apps are named ${name}`,
    show: (app) => `${app.teamName}/${app.name}`,
    hint: "write TEAM/NAME",
  });
}

/** By name, whatever its case, or id. */
export async function findTemplate(client: Client, text: string): Promise<TemplateView> {
  const templates = await all((page) => client.listTemplates({ query: page }));
  const name = text.toLowerCase();
  const found = templates.filter((template) => template.id === text || template.name.toLowerCase() === name);
  return onlyOne(found, {
    absent: () =>
      cliProblem("CLI_ABSENT", `there is no template ${text} in the library`, {
        hint: "sampan template list",
      }),
    many: `${found.length} templates are named ${text}`,
    show: (template) => template.id,
    hint: "use the id",
  });
}

/** `TEMPLATE@VERSION`, `TEMPLATE` (its newest) or a release's digest. */
export async function findRelease(client: Client, text: string): Promise<ReleaseBrief> {
  if (isDigest(text)) return await client.getRelease({ params: { digest: text } });
  const at = text.lastIndexOf("@");
  const version = at < 0 ? undefined : text.slice(at + 1);
  const template = await findTemplate(client, at < 0 ? text : text.slice(0, at));
  const { releaseList } = await client.getTemplate({ params: { id: template.id } });
  const current = releaseList
    .filter((release) => !release.replaced)
    .toSorted((a, b) => compareVersions(b.version, a.version));
  const found = version === undefined ? current[0] : current.find((release) => release.version === version);
  if (found !== undefined) return found;
  const what = version === undefined ? "has no release" : `has no version ${version}`;
  throw cliProblem("CLI_ABSENT", `${template.name} ${what}`, {
    why:
      current.length === 0
        ? "nothing was published"
        : `it has ${current.map((one) => one.version).join(", ")}`,
    hint: "publish it, or import the bundle that carries it",
  });
}

/** A site of the ledger: by name, whatever its case, or id. */
export async function findSite(client: Client, text: string): Promise<SiteBrief> {
  const sites = await all((page) => client.listLedger({ query: page }));
  const name = text.toLowerCase();
  const found = sites.filter((site) => site.id === text || site.name.toLowerCase() === name);
  return onlyOne(found, {
    absent: () =>
      cliProblem("CLI_ABSENT", `the ledger knows no site ${text}`, {
        hint: "sampan ledger list; a site's state is taken in with sampan ledger add FILE",
      }),
    many: `${found.length} sites are named ${text}`,
    show: (site) => site.id,
    hint: "use the id",
  });
}

/** The installation in an app; `template` chooses where there are several. */
export async function findInstallation(
  context: CommandContext,
  client: Client,
  wish: { readonly app: string; readonly template: string | undefined },
): Promise<{ readonly app: AppBrief; readonly installation: AppBrief["installations"][number] }> {
  const app = await findApp(context, client, wish.app);
  const found = app.installations.filter(
    (one) =>
      wish.template === undefined || one.templateId === wish.template || one.templateName === wish.template,
  );
  const installation = onlyOne(found, {
    absent: () =>
      cliProblem(
        "CLI_ABSENT",
        wish.template === undefined || app.installations.length === 0
          ? `nothing is installed in ${app.name}`
          : `${wish.template} is not installed in ${app.name}`,
        { hint: "sampan installation list; sampan install RELEASE" },
      ),
    many: `${found.length} templates are installed in ${app.name}`,
    show: (one) => one.templateName,
    hint: "say which with --template",
  });
  return { app, installation };
}

/** What `find` gives, or undefined where it finds nothing. Everything else that goes wrong is thrown. */
export async function ifAny<T>(find: Promise<T>): Promise<T | undefined> {
  try {
    return await find;
  } catch (error) {
    if (isProblem(error, "CLI_ABSENT")) return undefined;
    throw error;
  }
}

function onlyOne<T>(
  found: readonly T[],
  say: {
    readonly absent: () => Error;
    readonly many: string;
    readonly show: (one: T) => string;
    readonly hint: string;
  },
): T {
  const [only, second] = found;
  if (only === undefined) throw say.absent();
  if (second === undefined) return only;
  throw cliProblem("CLI_AMBIGUOUS", say.many, { why: found.map(say.show).join(", "), hint: say.hint });
}
