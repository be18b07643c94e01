import { z } from "zod";
import { component, pinnedImage } from "./component.ts";
import { containerPath, cpu, duration, name, parameterName, port, size, text, title } from "./primitives.ts";
import { hasOneCheck, isMapping } from "./refinements.ts";
import { parameter } from "./values.ts";

export const API_VERSION = "sampan/v1";

/** A set of components that is on or off together. */
export const moduleSet = z
  .strictObject({
    title: title.optional(),
    description: text.optional(),
    components: z.array(name).min(1).max(500),
    requires: z.array(name).max(100).optional(),
    conflicts: z.array(name).max(100).optional(),
    /** On when nothing is said; true when absent. */
    default: z.boolean().optional(),
  })
  .meta({ id: "Module" });

const match = z.strictObject({
  host: z.string().max(253).optional(),
  path: z.string().startsWith("/").max(1024).optional(),
  methods: z
    .array(z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]))
    .max(7)
    .optional(),
  headers: z.record(z.string().max(200), z.string().max(2000)).optional(),
  cookies: z.record(z.string().max(200), z.string().max(2000)).optional(),
});

/** Requests that match go to weighted components; or one TCP port goes to one component. */
export const route = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("http"),
      match,
      to: z
        .array(z.strictObject({ component: name, port: name, weight: z.int().min(0).max(1000).optional() }))
        .min(1)
        .max(20),
      certificate: name.optional(),
      sticky: z.boolean().optional(),
    }),
    z.strictObject({
      kind: z.literal("tcp"),
      listen: z.union([port, z.strictObject({ parameter: parameterName })]),
      to: z
        .array(z.strictObject({ component: name, port: name }))
        .min(1)
        .max(20),
    }),
  ])
  .meta({ id: "Route" });

/** What a site must have. */
export const preflight = z
  .strictObject({
    architectures: z
      .array(z.enum(["amd64", "arm64"]))
      .min(1)
      .max(2)
      .optional(),
    cpu: cpu.optional(),
    memory: size.optional(),
    disk: size.optional(),
    /** Least Engine API version, such as 1.41. */
    engineApi: z
      .string()
      .regex(/^\d+\.\d+$/)
      .optional(),
    kernel: z
      .string()
      .regex(/^\d+(\.\d+){0,2}$/, "write the least version, such as 5.10")
      .optional(),
    freePorts: z.array(port).max(100).optional(),
  })
  .meta({ id: "Preflight" });

/** A check that is run after install, upgrade and rollback. Exactly one of http, tcp, exec. */
export const acceptanceCheck = z
  .strictObject({
    name: title,
    http: z
      .strictObject({
        component: name,
        port: name,
        path: z.string().startsWith("/").max(1024).optional(),
        method: z.enum(["GET", "POST", "HEAD"]).optional(),
        headers: z.record(z.string().max(200), z.string().max(2000)).optional(),
        body: z
          .string()
          .max(64 * 1024)
          .optional(),
        status: z.int().min(100).max(599).optional(),
        contains: z.string().max(4096).optional(),
      })
      .optional(),
    tcp: z.strictObject({ component: name, port: name }).optional(),
    exec: z
      .strictObject({
        component: name,
        command: z.array(z.string().max(4096)).min(1).max(64),
        exitCode: z.int().min(0).max(255).optional(),
        contains: z.string().max(4096).optional(),
      })
      .optional(),
    within: duration.optional(),
  })
  .refine(hasOneCheck, { message: "give exactly one of http, tcp and exec", when: isMapping })
  .meta({ id: "AcceptanceCheck" });

/** A sidecar or an init container that can be bound to components. */
export const plugin = z
  .strictObject({
    title: title.optional(),
    kind: z.enum(["sidecar", "init"]),
    image: z.union([z.string().min(1).max(512), pinnedImage]),
    command: z.array(z.string().max(8192)).max(256).optional(),
    args: z.array(z.string().max(8192)).max(256).optional(),
    env: z.record(z.string().max(128), z.string().max(8192)).optional(),
    volumes: z.record(name, z.strictObject({ path: containerPath })).optional(),
  })
  .meta({ id: "Plugin" });

/** What an app is made of: the part that app.yaml, a running app and a release have in common. */
export const appBody = {
  title: title.optional(),
  summary: text.optional(),
  parameters: z.record(parameterName, parameter).optional(),
  modules: z.record(name, moduleSet).optional(),
  components: z.record(name, component),
  plugins: z.record(name, plugin).optional(),
  routes: z.record(name, route).optional(),
  preflight: preflight.optional(),
  acceptance: z.array(acceptanceCheck).max(200).optional(),
};

/** `app.yaml`, and the desired text of a running app. */
export const app = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal("App"),
    name,
    version: z.string().min(1).max(64).optional(),
    ...appBody,
  })
  .meta({ id: "App" });

export type App = z.infer<typeof app>;
export type ModuleSet = z.infer<typeof moduleSet>;
export type Route = z.infer<typeof route>;
export type Preflight = z.infer<typeof preflight>;
export type AcceptanceCheck = z.infer<typeof acceptanceCheck>;
export type Plugin = z.infer<typeof plugin>;
/** What apps and releases have in common. */
export type AppBody = Pick<App, keyof typeof appBody>;
