import { z } from "zod";
import { route } from "../route.ts";
import { answers, changeReply, moduleChoice } from "./apps.ts";
import { byId, digest, document, id, jobStarted, note, page, pageQuery, time } from "./basics.ts";

export const scope = z.enum(["team", "enterprise"]);

export const templateView = z.object({
  id: z.string(),
  name: z.string(),
  summary: z.string().optional(),
  tags: z.array(z.string()),
  scope,
  teamId: id.optional(),
  hasLogo: z.boolean(),
  origin: z.enum(["published", "imported"]),
  latest: z.object({ version: z.string(), alias: z.string().optional(), digest }).optional(),
  releases: z.int(),
  updatedAt: time,
});

export const releaseBrief = z.object({
  digest,
  templateId: z.string(),
  templateName: z.string(),
  version: z.string(),
  alias: z.string().optional(),
  notes: z.string().optional(),
  publishedAt: time,
  origin: z.enum(["published", "imported"]),
  signer: z.string().optional(),
  components: z.array(z.string()),
  sizeBytes: z.number(),
  /** A later release of the same version took its place; installations still know it. */
  replaced: z.boolean(),
});

export const releaseView = releaseBrief.extend({
  release: document,
  images: z.array(
    z.object({
      imageId: digest,
      name: z.string(),
      components: z.array(z.string()),
      sizeBytes: z.number(),
      architecture: z.string(),
    }),
  ),
});

/** What the installer is asked: parameters in their groups, modules, what is generated. */
export const installForm = z.object({
  parameters: z.array(z.object({ group: z.string(), items: z.array(document) })),
  modules: z.array(document),
  generated: z.array(z.string()),
});

/** One property that differs, what happens with it, and why. Secrets are masked. Decisions are given by `path`. */
export const change = z.object({
  path: z.string(),
  component: z.string().optional(),
  what: z.string(),
  action: z.enum(["add", "change", "remove", "keep"]),
  why: z.string(),
  /** What the site has; what the release (in a rollback: the snapshot) has; what the site will have. */
  before: z.unknown().optional(),
  offered: z.unknown().optional(),
  after: z.unknown().optional(),
  secret: z.boolean(),
  decided: z.boolean(),
  /** In a rollback: an edit made after the upgrade, which would be lost. */
  laterEdit: z.literal(true).optional(),
});

/** How one value of the app travels: as it is, asked at install, or made at random at each install. */
const valueChoice = z.object({
  path: z.string().max(400),
  as: z.enum(["fixed", "ask", "random"]),
  title: z.string().max(120).optional(),
});

export const publishBody = z.object({
  template: z.object({
    id: z.string().max(63).optional(),
    name: z.string().min(1).max(120).optional(),
    summary: z.string().max(65_536).optional(),
    tags: z.array(z.string().min(1).max(40)).max(20).optional(),
    logo: z
      .object({
        mediaType: z.enum(["image/png", "image/jpeg", "image/svg+xml"]),
        base64: z.string().max(720_000),
      })
      .optional(),
  }),
  scope: scope.default("team"),
  version: z.string().max(64),
  alias: z.string().max(120).optional(),
  notes: z.string().max(65_536).optional(),
  /** Names; all when absent. Components left out are carried over from `base`, when that is given. */
  components: z.array(z.string()).optional(),
  values: z.array(valueChoice).default([]),
  scaling: z.record(z.string(), document).default({}),
  /** The same version was published before: replace it. */
  replace: z.boolean().default(false),
  /** Codes of the report's findings that are accepted; "all". */
  accept: z.array(z.string()).default([]),
});

/** What a publisher must know before; each finding that is not "note" must be mended or accepted. */
export const finding = z.object({
  code: z.string(),
  level: z.enum(["blocks", "ask", "note"]),
  component: z.string().optional(),
  path: z.string().optional(),
  text: z.string(),
  remedy: z.string().optional(),
});
export const publishReport = z.object({
  findings: z.array(finding),
  suggestedVersion: z.string(),
  replaces: digest.optional(),
  components: z.array(
    z.object({
      name: z.string(),
      included: z.boolean(),
      changed: z.enum(["new", "changed", "unchanged", "unknown"]),
      imageId: digest.optional(),
    }),
  ),
  changes: z.array(change),
});

export const recordView = z.object({
  id,
  appId: id,
  appName: z.string(),
  installationId: id.optional(),
  kind: z.enum(["install", "upgrade", "rollback", "edit", "scale", "modules", "start", "stop", "remove"]),
  from: z.object({ version: z.string(), digest }).optional(),
  to: z.object({ version: z.string(), digest }).optional(),
  state: z.string(),
  result: z.string().optional(),
  note: z.string().optional(),
  who: z.string(),
  startedAt: time,
  endedAt: time.optional(),
  rolloutId: id.optional(),
  canRollBack: z.boolean(),
  cannotRollBackBecause: z.string().optional(),
});

export const upgradeReply = changeReply.extend({
  changes: z.array(change),
  pulledIn: z.array(z.object({ component: z.string(), because: z.string() })),
  remarks: z.array(z.string()),
});
const decisions = z
  .record(
    z.string().max(400),
    z.union([z.literal("take"), z.literal("keep"), z.object({ edit: z.unknown() })]),
  )
  .default({});
const changeOptions = { dryRun: z.boolean().default(false), note: note.optional(), base: z.int().optional() };

export const installationView = z.object({
  id,
  appId: id,
  appName: z.string(),
  teamId: id,
  templateId: z.string(),
  templateName: z.string(),
  version: z.string(),
  releaseDigest: digest,
  components: z.array(z.string()),
  modulesOn: z.array(z.string()),
  available: z.array(z.object({ version: z.string(), releaseDigest: digest })),
  installedAt: time,
});

const tag = "library";
const byDigest = z.object({ digest });

export const libraryRoutes = {
  listTemplates: route({
    method: "GET",
    path: "/templates",
    tag,
    summary: "Templates that I can install",
    permission: "self.use",
    query: z.object({
      ...pageQuery,
      team: z.string().max(64).optional(),
      search: z.string().max(100).optional(),
    }),
    reply: page(templateView),
  }),
  getTemplate: route({
    method: "GET",
    path: "/templates/:id",
    tag,
    summary: "A template and its releases, newest version first",
    permission: "library.read",
    params: byId,
    reply: templateView.extend({ releaseList: z.array(releaseBrief) }),
  }),
  updateTemplate: route({
    method: "PATCH",
    path: "/templates/:id",
    tag,
    summary: "Change name, summary, tags or scope of a template",
    permission: "library.write",
    params: byId,
    body: z.object({
      name: z.string().min(1).max(120).optional(),
      summary: z.string().max(65_536).optional(),
      tags: z.array(z.string().min(1).max(40)).max(20).optional(),
      scope: scope.optional(),
    }),
    reply: templateView,
  }),
  removeTemplate: route({
    method: "DELETE",
    path: "/templates/:id",
    tag,
    summary: "Remove a template and its releases; refused while one is installed",
    permission: "library.write",
    params: byId,
    reply: "none",
  }),
  getLogo: route({
    method: "GET",
    path: "/templates/:id/logo",
    tag,
    summary: "The logo",
    permission: "library.read",
    params: byId,
    reply: "bytes",
  }),
  getRelease: route({
    method: "GET",
    path: "/releases/:digest",
    tag,
    summary: "A release: its document, images and sizes",
    permission: "library.read",
    params: byDigest,
    reply: releaseView,
  }),
  getInstallForm: route({
    method: "GET",
    path: "/releases/:digest/form",
    tag,
    summary: "What the installer is asked",
    permission: "library.read",
    params: byDigest,
    reply: installForm,
  }),
  diffReleases: route({
    method: "GET",
    path: "/releases/:digest/diff/:other",
    tag,
    summary: "What differs between two releases",
    permission: "library.read",
    params: z.object({ digest, other: digest }),
    reply: z.object({ changes: z.array(change) }),
  }),
  removeRelease: route({
    method: "DELETE",
    path: "/releases/:digest",
    tag,
    summary: "Remove a release from the library; refused while it is installed",
    permission: "library.write",
    params: byDigest,
    reply: "none",
  }),

  reportPublish: route({
    method: "POST",
    path: "/apps/:id/publish/report",
    tag,
    summary: "What publishing would do, and what must be accepted",
    permission: "app.publish",
    params: byId,
    body: publishBody.partial({ version: true }),
    reply: publishReport,
  }),
  publish: route({
    method: "POST",
    path: "/apps/:id/publish",
    tag,
    summary: "Publish what runs as a release of a template",
    permission: "app.publish",
    status: 202,
    params: byId,
    body: publishBody,
    reply: jobStarted,
  }),

  listInstallations: route({
    method: "GET",
    path: "/installations",
    tag,
    summary: "Releases that are installed",
    permission: "self.use",
    query: z.object({ ...pageQuery, app: id.optional(), template: z.string().max(64).optional() }),
    reply: page(installationView),
  }),
  getInstallation: route({
    method: "GET",
    path: "/installations/:id",
    tag,
    summary: "An installation",
    permission: "app.read",
    params: byId,
    reply: installationView,
  }),
  install: route({
    method: "POST",
    path: "/installations",
    tag,
    summary: "Install a release into a new or an existing app",
    permission: "app.install",
    status: 201,
    body: z.object({
      release: digest,
      teamId: id,
      appId: id.optional(),
      appName: z.string().max(42).optional(),
      parameters: answers.default({}),
      modules: moduleChoice.prefault({}),
      ...changeOptions,
    }),
    reply: upgradeReply.extend({ installationId: id.optional() }),
  }),
  upgrade: route({
    method: "POST",
    path: "/installations/:id/upgrade",
    tag,
    summary: "Upgrade an installation; with `dryRun` only the changes and the plan",
    permission: "app.install",
    params: byId,
    body: z.object({
      release: digest,
      components: z.array(z.string()).optional(),
      decisions,
      parameters: answers.default({}),
      modules: moduleChoice.optional(),
      onFailure: z.enum(["return", "hold"]).default("return"),
      ...changeOptions,
    }),
    reply: upgradeReply,
  }),
  rollback: route({
    method: "POST",
    path: "/records/:id/rollback",
    tag,
    summary: "Go back to what was before a record; with `dryRun` only what would return",
    permission: "app.install",
    params: byId,
    body: z.object({
      removeAdded: z.boolean().default(false),
      keepEdits: z.array(z.string().max(400)).default([]),
      ...changeOptions,
    }),
    reply: upgradeReply,
  }),
  listRecords: route({
    method: "GET",
    path: "/records",
    tag,
    summary: "What was done, newest first",
    permission: "self.use",
    query: z.object({ ...pageQuery, app: id.optional(), installation: id.optional() }),
    reply: page(recordView),
  }),
  getRecord: route({
    method: "GET",
    path: "/records/:id",
    tag,
    summary: "One record",
    permission: "app.read",
    params: byId,
    reply: recordView,
  }),
};
