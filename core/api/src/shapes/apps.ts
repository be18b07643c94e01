import { z } from "zod";
import { route } from "../route.ts";
import { byId, digest, document, flag, id, page, pageQuery, time } from "./basics.ts";
import {
  acceptanceCheck,
  answers,
  changeOptions,
  changeReply,
  isOneOf,
  moduleChoice,
  moduleSwitches,
  oneOf,
  planView,
  stepResult,
  upgradeReply,
} from "./changes.ts";

/** Health of an app or component, one word, worst of its parts. */
export const health = z.enum(["running", "starting", "degraded", "failing", "stopped", "unknown"]);

const installationBrief = z.object({
  id,
  templateId: z.string(),
  templateName: z.string(),
  version: z.string(),
  releaseDigest: digest,
  /** A newer release, or a replaced one of the same version, is in the library. */
  available: z.object({ version: z.string(), releaseDigest: digest }).optional(),
});

export const appBrief = z.object({
  id,
  name: z.string(),
  title: z.string().optional(),
  teamId: id,
  teamName: z.string(),
  generation: z.int(),
  health,
  /** What is desired differs from what runs. */
  pending: z.boolean(),
  stopped: z.boolean(),
  components: z.int(),
  installations: z.array(installationBrief),
  createdAt: time,
  updatedAt: time,
});

export const instanceView = z.object({
  id: z.string(),
  index: z.int(),
  state: z.enum(["starting", "ready", "unready", "failing", "completed", "stopped"]),
  serving: z.boolean(),
  upToDate: z.boolean(),
  generation: z.int(),
  restarts: z.int(),
  exitCode: z.int().optional(),
  startedAt: time.optional(),
  message: z.string().optional(),
  imageId: digest,
  hostPorts: z.array(z.object({ name: z.string(), hostPort: z.int() })),
});

export const componentView = z.object({
  name: z.string(),
  id: z.string(),
  kind: z.enum(["stateless", "stateful", "job", "cron"]),
  health,
  replicas: z.int(),
  ready: z.int(),
  needs: z.array(z.string()),
  /** Off by its module. */
  off: z.boolean(),
  imageName: z.string(),
  installationId: id.optional(),
  instances: z.array(instanceView),
});

export const appView = appBrief.extend({
  /** The App document, secrets masked. */
  spec: document,
  observedAt: time.optional(),
  complete: z.boolean(),
  remarks: z.array(z.string()),
  componentsView: z.array(componentView),
  rolloutId: id.optional(),
});

export const rolloutView = z.object({
  id,
  appId: id,
  recordId: id.optional(),
  state: z.string(),
  plan: planView,
  results: z.array(stepResult),
  checks: z.array(acceptanceCheck),
  startedAt: time,
  endedAt: time.optional(),
  message: z.string().optional(),
});

const tag = "apps";
const component = z.object({ id, component: z.string().max(63) });
const logQuery = z.object({
  follow: flag.optional(),
  tail: z.coerce.number().int().min(0).max(100_000).optional(),
  since: time.optional(),
  instance: z.coerce.number().int().min(1).optional(),
});
export const logLine = z.object({
  at: time,
  component: z.string(),
  index: z.int(),
  stream: z.enum(["stdout", "stderr"]),
  text: z.string(),
});

export const appRoutes = {
  listApps: route({
    method: "GET",
    path: "/apps",
    tag,
    summary: "The apps of my teams",
    permission: "self.use",
    query: z.object({
      ...pageQuery,
      team: z.string().max(64).optional(),
      name: z.string().max(64).optional(),
      search: z.string().max(100).optional(),
    }),
    reply: page(appBrief),
  }),
  createApp: route({
    method: "POST",
    path: "/apps",
    tag,
    summary: "Create an app from its App document (JSON or the text of app.yaml) and run it",
    permission: "app.write",
    status: 201,
    body: z.object({
      teamId: id,
      text: z
        .string()
        .max(4 * 1024 * 1024)
        .optional(),
      app: document.optional(),
      name: z.string().max(42).optional(),
      parameters: answers.default({}),
      modules: moduleChoice.prefault({}),
      ...changeOptions,
    }),
    reply: changeReply,
  }),
  getApp: route({
    method: "GET",
    path: "/apps/:id",
    tag,
    summary: "An app, what is desired and what runs",
    permission: "app.read",
    params: byId,
    reply: appView,
  }),
  getAppText: route({
    method: "GET",
    path: "/apps/:id/text",
    tag,
    summary: "The app as app.yaml, secrets masked",
    permission: "app.read",
    params: byId,
    reply: z.object({ text: z.string(), generation: z.int() }),
  }),
  updateApp: route({
    method: "PUT",
    path: "/apps/:id",
    tag,
    summary: "Change what an app should be: a new App document, parameters or modules",
    permission: "app.write",
    params: byId,
    body: z.object({
      text: z
        .string()
        .max(4 * 1024 * 1024)
        .optional(),
      app: document.optional(),
      parameters: answers.optional(),
      modules: moduleChoice.optional(),
      ...changeOptions,
    }),
    reply: changeReply,
  }),
  switchModules: route({
    method: "POST",
    path: "/apps/:id/modules",
    tag,
    summary: "Turn modules on and off, with what they require; data stays",
    permission: "app.install",
    params: byId,
    body: z
      .object({
        ...moduleSwitches,
        /** What components that come on ask for. */
        parameters: answers.default({}),
        ...changeOptions,
      })
      .refine(isOneOf, oneOf()),
    reply: upgradeReply,
  }),
  setRunning: route({
    method: "POST",
    path: "/apps/:id/running",
    tag,
    summary: "Start or stop an app; data stays",
    permission: "app.write",
    params: byId,
    body: z.object({ running: z.boolean(), ...changeOptions }),
    reply: changeReply,
  }),
  removeApp: route({
    method: "DELETE",
    path: "/apps/:id",
    tag,
    summary: "Stop and forget an app; its volumes stay in the engine",
    permission: "app.delete",
    params: byId,
    reply: changeReply,
  }),
  scaleComponent: route({
    method: "POST",
    path: "/apps/:id/components/:component/scale",
    tag,
    summary: "Set the number of instances",
    permission: "app.write",
    params: component,
    body: z.object({ replicas: z.int().min(0).max(1000), ...changeOptions }),
    reply: changeReply,
  }),
  restartComponent: route({
    method: "POST",
    path: "/apps/:id/components/:component/restart",
    tag,
    summary: "Restart all instances of a component",
    permission: "app.write",
    params: component,
    reply: "none",
  }),
  execComponent: route({
    method: "POST",
    path: "/apps/:id/components/:component/exec",
    tag,
    summary: "Run a command in an instance, to its end",
    permission: "app.exec",
    params: component,
    body: z.object({
      command: z.array(z.string().max(8192)).min(1).max(256),
      index: z.int().min(1).optional(),
      timeoutMs: z.int().min(100).max(600_000).default(60_000),
    }),
    reply: z.object({ exitCode: z.int(), stdout: z.string(), stderr: z.string(), truncated: z.boolean() }),
  }),
  getComponentLogs: route({
    method: "GET",
    path: "/apps/:id/components/:component/logs",
    tag,
    summary: "Log lines, of all instances merged, as server-sent events",
    permission: "app.read",
    params: component,
    query: logQuery,
    reply: "bytes",
    event: logLine,
  }),
  getComponentStats: route({
    method: "GET",
    path: "/apps/:id/components/:component/stats",
    tag,
    summary: "What each instance uses now",
    permission: "app.read",
    params: component,
    reply: z.object({
      items: z.array(
        z.object({
          index: z.int(),
          cpu: z.number(),
          memoryBytes: z.number(),
          memoryLimitBytes: z.number().optional(),
          processes: z.number(),
          networkReceivedBytes: z.number(),
          networkSentBytes: z.number(),
        }),
      ),
    }),
  }),
  listRollouts: route({
    method: "GET",
    path: "/apps/:id/rollouts",
    tag,
    summary: "Attempts at plans, newest first",
    permission: "app.read",
    params: byId,
    query: z.object(pageQuery),
    reply: page(rolloutView),
  }),
  getRollout: route({
    method: "GET",
    path: "/rollouts/:id",
    tag,
    summary: "One attempt at a plan",
    permission: "app.read",
    params: byId,
    reply: rolloutView,
  }),
  cancelRollout: route({
    method: "POST",
    path: "/rollouts/:id/cancel",
    tag,
    summary: "Stop before the next step",
    permission: "app.write",
    params: byId,
    reply: rolloutView,
  }),
  recoverApps: route({
    method: "POST",
    path: "/apps/recover",
    tag,
    summary: "List what the engine runs that this site does not know (after a lost database)",
    permission: "enterprise.manage",
    reply: z.object({
      items: z.array(
        z.object({ id: z.string(), slug: z.string(), generation: z.int(), components: z.array(z.string()) }),
      ),
    }),
  }),
  recoverApp: route({
    method: "POST",
    path: "/apps/recover/:id",
    tag,
    summary:
      "Take up again an app that the engine runs and this site does not know; nothing of it is touched",
    permission: "enterprise.manage",
    params: byId,
    body: z.object({
      teamId: id,
      /** What the app's name in the engine says when absent. */
      name: z.string().max(42).optional(),
    }),
    status: 201,
    /** Remarks: what could not be recovered, or only in part. */
    reply: z.object({ appId: id, recordId: id, remarks: z.array(z.string()) }),
  }),
};
