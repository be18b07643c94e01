import { apps } from "./apps.ts";
import { type Bound, bind, type Context } from "./context.ts";
import { dataSnapshots } from "./data-snapshots.ts";
import { events } from "./events.ts";
import { imports } from "./imports.ts";
import { installations } from "./installations.ts";
import { jobs } from "./jobs.ts";
import { plans } from "./plans.ts";
import { policy } from "./policy.ts";
import { publishDrafts } from "./publish-drafts.ts";
import { records } from "./records.ts";
import { releases } from "./releases.ts";
import { reports } from "./reports.ts";
import { rollouts } from "./rollouts.ts";
import { settings } from "./settings.ts";
import { siteDocuments } from "./site-documents.ts";
import { siteReceipts, sites } from "./sites.ts";
import { teams } from "./teams.ts";
import { templates } from "./templates.ts";
import { tokens } from "./tokens.ts";
import { trustedKeys } from "./trusted-keys.ts";
import { users } from "./users.ts";

/** The functions of each noun; their files say what they do and throw. */
export interface Nouns {
  readonly apps: Bound<typeof apps>;
  readonly dataSnapshots: Bound<typeof dataSnapshots>;
  readonly events: Bound<typeof events>;
  readonly imports: Bound<typeof imports>;
  readonly installations: Bound<typeof installations>;
  readonly jobs: Bound<typeof jobs>;
  readonly plans: Bound<typeof plans>;
  readonly policy: Bound<typeof policy>;
  readonly publishDrafts: Bound<typeof publishDrafts>;
  readonly records: Bound<typeof records>;
  readonly releases: Bound<typeof releases>;
  readonly reports: Bound<typeof reports>;
  readonly rollouts: Bound<typeof rollouts>;
  readonly settings: Bound<typeof settings>;
  readonly siteDocuments: Bound<typeof siteDocuments>;
  readonly siteReceipts: Bound<typeof siteReceipts>;
  readonly sites: Bound<typeof sites>;
  readonly teams: Bound<typeof teams>;
  readonly templates: Bound<typeof templates>;
  readonly tokens: Bound<typeof tokens>;
  readonly trustedKeys: Bound<typeof trustedKeys>;
  readonly users: Bound<typeof users>;
}

export function bindNouns(context: Context): Nouns {
  return {
    apps: bind(apps, context),
    dataSnapshots: bind(dataSnapshots, context),
    events: bind(events, context),
    imports: bind(imports, context),
    installations: bind(installations, context),
    jobs: bind(jobs, context),
    plans: bind(plans, context),
    policy: bind(policy, context),
    publishDrafts: bind(publishDrafts, context),
    records: bind(records, context),
    releases: bind(releases, context),
    reports: bind(reports, context),
    rollouts: bind(rollouts, context),
    settings: bind(settings, context),
    siteDocuments: bind(siteDocuments, context),
    siteReceipts: bind(siteReceipts, context),
    sites: bind(sites, context),
    teams: bind(teams, context),
    templates: bind(templates, context),
    tokens: bind(tokens, context),
    trustedKeys: bind(trustedKeys, context),
    users: bind(users, context),
  };
}
