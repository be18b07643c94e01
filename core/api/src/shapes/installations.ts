import { z } from "zod";
import { route } from "../route.ts";
import { byId, digest, id, page, pageQuery, time } from "./basics.ts";
import { answers, changeOptions, componentNames, decisions, moduleChoice, upgradeReply } from "./changes.ts";

const installationView = z.object({
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

/** All that have data, none, or these; as the site's policy says when absent. */
const capture = z.union([z.literal("all"), z.literal("none"), componentNames]);

const tag = "installations";

export const installationRoutes = {
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
      components: componentNames.optional(),
      decisions,
      parameters: answers.default({}),
      modules: moduleChoice.optional(),
      /** Name of a component of the release to the component here that it takes up: for those that were rebuilt, and have another id. */
      mapping: z.record(z.string().max(63), z.string().max(63)).optional(),
      capture: capture.optional(),
      /** Data that was captured is put back when the upgrade fails and goes back by itself. */
      restoreOnReturn: z.boolean().default(false),
      onFailure: z.enum(["return", "hold"]).default("return"),
      ...changeOptions,
    }),
    reply: upgradeReply,
  }),
};
