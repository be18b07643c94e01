import { extname } from "node:path";
import type { Client } from "@sampan/api";
import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { collect, type Scope, scopeOption, withExamples } from "../command-options.ts";
import { findApp, findTemplate, ifAny } from "../find.ts";
import { followJob } from "../follow-job.ts";
import { readLocalFile } from "../local-file.ts";
import { cliProblem } from "../problems.ts";

interface PublishOptions {
  readonly template?: string;
  readonly as?: string;
  readonly alias?: string;
  readonly notes?: string;
  readonly summary?: string;
  readonly tag: string[];
  readonly logo?: string;
  readonly scope: Scope;
  readonly component: string[];
  readonly ask: string[];
  readonly random: string[];
  readonly fixed: string[];
  readonly replace?: true;
  readonly accept: string[];
  readonly report?: true;
}

type Body = Parameters<Client["publish"]>[0]["body"];
type Report = Awaited<ReturnType<Client["reportPublish"]>>;

const LOGO_BYTES_MAX = 512 * 1024;
const LOGO_TYPES = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".svg": "image/svg+xml",
} as const;

export function declarePublish(program: Command, context: CommandContext): void {
  const command = program
    .command("publish <app>")
    .description("publish what runs as a release of a template")
    .option("--template <name>", "template to publish to; made when it is new; else the app's name")
    .option("--as <version>", "version number; else the next one is suggested and asked")
    .option("--alias <text>", "name of the version, such as 'autumn'")
    .option("--notes <text>", "what is new")
    .option("--summary <text>", "what the template is, for the library")
    .option("--tag <text>", "category; again for each", collect, [])
    .option("--logo <file>", "PNG, JPEG or SVG, at most 512 KiB")
    .addOption(scopeOption("team"))
    .option(
      "-c, --component <name>",
      "publish only this component anew, the others as in the release before; again for each",
      collect,
      [],
    )
    .option("--ask <path>", "ask for this value at install: web.env.TITLE; again for each", collect, [])
    .option("--random <path>", "make this value at random at each install; again for each", collect, [])
    .option("--fixed <path>", "carry this value, though it looks like a secret; again for each", collect, [])
    .option("--replace", "the same version was published before: replace it")
    .option("--accept <code>", "accept a finding of the report; again for each, or all", collect, [])
    .option("--report", "only show the report")
    .action((name: string, options: PublishOptions) => publish(context, name, options));
  withExamples(
    command,
    "sampan publish shop --report",
    "sampan publish shop --as 2.9 --alias autumn --notes 'Faster search'",
    "sampan publish shop --as 3.0 --component orders --ask orders.env.MAX_COPIES",
  );
}

async function publish(context: CommandContext, name: string, options: PublishOptions): Promise<void> {
  const client = await context.client();
  const app = await findApp(context, client, name);
  const params = { id: app.id };
  const draft = await bodyOf(client, app.name, options);
  const report = await client.reportPublish({ params, body: draft });
  if (options.report === true) return context.result(report, () => renderReport(report));
  context.remark(renderReport(report));
  const version = options.as ?? report.suggestedVersion;
  if (options.as === undefined) await context.confirm(`Publish as version ${version}?`);
  if (report.replaces !== undefined && options.replace !== true)
    await context.confirm(`Version ${version} was published before. Replace it?`);
  const body = {
    ...draft,
    version,
    replace: report.replaces !== undefined,
    accept: [...options.accept, ...(await askFindings(context, report, options.accept))],
  };
  const { result } = await followJob(context, client, (await client.publish({ params, body })).jobId);
  context.result(result, () => `Published ${result?.templateName} ${version}  ${result?.digest}`);
}

/** Codes of open findings that the person accepts now. `--yes` accepts none: what leaves the house is named one by one. */
async function askFindings(
  context: CommandContext,
  report: Report,
  accepted: readonly string[],
): Promise<string[]> {
  if (!context.mayAsk || accepted.includes("all") || report.findings.some(({ level }) => level === "blocks"))
    return [];
  const open = report.findings.filter(({ level, code }) => level === "ask" && !accepted.includes(code));
  const codes = [...new Set(open.map(({ code }) => code))];
  for (const code of codes) await context.confirm(`Accept ${code}, and publish all the same?`);
  return codes;
}

async function bodyOf(client: Client, appName: string, options: PublishOptions): Promise<Body> {
  const name = options.template ?? appName;
  const existing = await ifAny(findTemplate(client, name));
  return {
    template: {
      ...(existing === undefined ? { name } : { id: existing.id }),
      ...(options.summary === undefined ? {} : { summary: options.summary }),
      ...(options.tag.length === 0 ? {} : { tags: options.tag }),
      ...(options.logo === undefined ? {} : { logo: await readLogo(options.logo) }),
    },
    scope: options.scope,
    version: options.as ?? "",
    ...(options.alias === undefined ? {} : { alias: options.alias }),
    ...(options.notes === undefined ? {} : { notes: options.notes }),
    ...(options.component.length === 0 ? {} : { components: options.component }),
    values: [
      ...options.ask.map((path) => ({ path, as: "ask" as const })),
      ...options.random.map((path) => ({ path, as: "random" as const })),
      ...options.fixed.map((path) => ({ path, as: "fixed" as const })),
    ],
    accept: options.accept,
  };
}

async function readLogo(path: string): Promise<NonNullable<Body["template"]["logo"]>> {
  const mediaType = LOGO_TYPES[extname(path).toLowerCase() as keyof typeof LOGO_TYPES];
  if (mediaType === undefined)
    throw cliProblem("CLI_FILE", `${path} is no logo`, { hint: "give a .png, .jpg or .svg" });
  const bytes = await readLocalFile(path, { sizeBytesMax: LOGO_BYTES_MAX });
  return { mediaType, base64: Buffer.from(bytes).toString("base64") };
}

function renderReport({ components, findings }: Report): string {
  return [
    "Components:",
    ...components.map(
      ({ name, included, changed }) =>
        `  ${included ? "✓" : "-"} ${name}  ${included ? changed : "not anew"}`,
    ),
    findings.length === 0 ? "The report is clean." : "Findings:",
    ...findings.flatMap(({ level, code, component, path, text, remedy }) => [
      `  [${level}] ${code} ${path ?? component ?? ""}: ${text}`,
      ...(remedy === undefined ? [] : [`      ${remedy}`]),
    ]),
  ].join("\n");
}
