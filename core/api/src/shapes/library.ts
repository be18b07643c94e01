import { z } from "zod";
import { route } from "../route.ts";
import { byId, digest, document, id, jobStarted, page, pageQuery, time } from "./basics.ts";
import { answers, change, moduleChoice } from "./changes.ts";

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
  checkAnswers: route({
    method: "POST",
    path: "/releases/:digest/form/check",
    tag,
    summary: "Whether answers of the installer would be taken; nothing is changed",
    permission: "library.read",
    params: byDigest,
    body: z.object({ parameters: answers.default({}), modules: moduleChoice.prefault({}) }),
    reply: z.object({
      faults: z.array(z.object({ path: z.string(), message: z.string() })),
      /** `why`: nobody chose it, and it is on nevertheless. */
      modules: z.array(z.object({ name: z.string(), on: z.boolean(), why: z.string().optional() })),
      /** With the defaults; passwords are left out. */
      values: answers,
      /** Names of those that are asked with this choice of modules. */
      asked: z.array(z.string()),
    }),
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
};
