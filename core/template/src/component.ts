import { z } from "zod";
import {
  componentId,
  containerPath,
  cpu,
  duration,
  envName,
  fileMode,
  name,
  parameterName,
  port,
  size,
  text,
  title,
} from "./primitives.ts";
import { hasOneCheck, isMapping } from "./refinements.ts";
import { envValue } from "./values.ts";

export const digest = z
  .templateLiteral(["sha256:", z.string().regex(/^[0-9a-f]{64}$/)])
  .meta({ id: "Digest" });

/** An image that is pinned: what releases hold. `name` is for people and for the registry, never for identity. */
export const pinnedImage = z.strictObject({
  id: digest,
  name: z.string().min(1).max(255),
  os: z.string().max(40).optional(),
  architecture: z.string().max(40).optional(),
});

export const image = z.union([z.string().min(1).max(512), pinnedImage]).meta({ id: "Image" });

const httpProbe = z.strictObject({
  port,
  path: z.string().startsWith("/").max(1024).optional(),
  headers: z.record(z.string().max(200), z.string().max(2000)).optional(),
  /** 200 to 399 when absent. */
  status: z.int().min(100).max(599).optional(),
});

/** One check, and how patiently it is repeated. Exactly one of http, tcp, exec. */
export const probe = z
  .strictObject({
    http: httpProbe.optional(),
    tcp: z.strictObject({ port }).optional(),
    exec: z.array(z.string().max(4096)).min(1).max(64).optional(),
    delay: duration.optional(),
    period: duration.optional(),
    timeout: duration.optional(),
    /** How many failures in a row make it fail; how many successes in a row make it pass. */
    failures: z.int().min(1).max(1000).optional(),
    successes: z.int().min(1).max(100).optional(),
  })
  .refine(hasOneCheck, { message: "give exactly one of http, tcp and exec", when: isMapping })
  .meta({ id: "Probe" });

export const volume = z
  .strictObject({
    path: containerPath,
    kind: z.enum(["persistent", "shared", "memory"]),
    size: size.optional(),
    readOnly: z.boolean().optional(),
    /** For kind shared: the component that owns the volume of this name. */
    from: name.optional(),
  })
  .meta({ id: "Volume" });

export const configFile = z
  .strictObject({
    content: z.string().max(1024 * 1024),
    mode: fileMode.optional(),
    /** Replace `${NAME}` in the content by the component's variables. Off when absent: the content is taken as it is. */
    expand: z.boolean().optional(),
    /** Holds a secret: encrypted at rest, masked when shown. */
    secret: z.boolean().optional(),
  })
  .meta({ id: "ConfigFile" });

export const componentPort = z
  .strictObject({
    port,
    protocol: z.enum(["http", "tcp", "udp"]),
    /** Reachable from outside the app: on `hostPort`, or on a free port of the site when that is absent. */
    exposed: z.boolean().optional(),
    hostPort: z.union([port, z.strictObject({ parameter: parameterName })]).optional(),
  })
  .meta({ id: "Port" });

export const resources = z
  .strictObject({
    request: z.strictObject({ cpu: cpu.optional(), memory: size.optional() }).optional(),
    limit: z
      .strictObject({
        cpu: cpu.optional(),
        memory: size.optional(),
        processes: z.int().min(1).max(1_000_000).optional(),
      })
      .optional(),
  })
  .meta({ id: "Resources" });

export const scaling = z
  .strictObject({
    min: z.int().min(0).max(1000),
    max: z.int().min(1).max(1000),
    step: z.int().min(1).max(100).optional(),
    /** Percent of the limit that autoscaling aims at. */
    cpuTarget: z.int().min(1).max(100).optional(),
    memoryTarget: z.int().min(1).max(100).optional(),
  })
  .refine((value) => !(value.min > value.max), {
    message: "min is greater than max",
    path: ["min"],
    when: isMapping,
  })
  .meta({ id: "Scaling" });

export const security = z
  .strictObject({
    user: z.string().max(64).optional(),
    addCapabilities: z
      .array(z.string().regex(/^[A-Z_]{2,40}$/))
      .max(40)
      .optional(),
    dropCapabilities: z
      .array(z.string().regex(/^[A-Z_]{2,40}$/))
      .max(40)
      .optional(),
    readOnlyRoot: z.boolean().optional(),
    /** Must be allowed by the site. */
    privileged: z.boolean().optional(),
  })
  .meta({ id: "Security" });

const command = z.array(z.string().max(4096)).min(1).max(64);

/**
 * How its data is captured. With `before` (which brings it to rest, or writes a dump into a volume) it goes on running meanwhile, and
 * `after` undoes it; without, it is stopped for as long as it takes. `restored` is run in a ready instance once data was put back.
 */
export const snapshot = z
  .strictObject({
    /** Which of its own volumes that last (persistent, or shared and its own); all when absent. */
    volumes: z.array(name).min(1).max(50).optional(),
    before: command.optional(),
    after: command.optional(),
    restored: command.optional(),
    /** 30m when absent. */
    within: duration.optional(),
  })
  .meta({ id: "Snapshot" });

export const metricsEndpoint = z.strictObject({
  port,
  path: z.string().startsWith("/").max(1024).optional(),
  interval: duration.optional(),
});

/** A plugin bound to a component: `plugin` names a definition in the app's `plugins`. */
export const pluginBinding = z.strictObject({
  plugin: name,
  config: z.record(z.string().max(128), z.string().max(8192)).optional(),
});

export const component = z
  .strictObject({
    id: componentId.optional(),
    /** At a site: the installation that it came from. Never part of a release. */
    installation: z.string().max(63).optional(),
    title: title.optional(),
    kind: z.enum(["stateless", "stateful", "job", "cron"]),
    /** When a cron component runs: five fields, in the site's time zone. */
    schedule: z.string().max(120).optional(),
    image: image.optional(),
    build: z
      .strictObject({
        context: z.string().min(1).max(1024),
        dockerfile: z.string().max(1024).optional(),
        args: z.record(envName, z.string().max(4096)).optional(),
      })
      .optional(),
    /** Replaces the image's entrypoint, and its arguments. */
    command: z.array(z.string().max(8192)).max(256).optional(),
    args: z.array(z.string().max(8192)).max(256).optional(),
    env: z.record(envName, envValue).optional(),
    files: z.record(containerPath, configFile).optional(),
    volumes: z.record(name, volume).optional(),
    ports: z.record(name, componentPort).optional(),
    needs: z.array(name).max(200).optional(),
    /** What it offers to those that need it; injected into every component that does. */
    connection: z.record(envName, envValue).optional(),
    probes: z
      .strictObject({ start: probe.optional(), live: probe.optional(), ready: probe.optional() })
      .optional(),
    /** How long an instance may take to become ready; 120s when absent. */
    startWithin: duration.optional(),
    replicas: z.int().min(0).max(1000).optional(),
    scaling: scaling.optional(),
    resources: resources.optional(),
    plugins: z.record(name, pluginBinding).optional(),
    metrics: z.record(name, metricsEndpoint).optional(),
    restart: z.enum(["always", "on-failure", "never"]).optional(),
    labels: z.record(z.string().regex(/^[A-Za-z0-9._/-]{1,120}$/), z.string().max(1024)).optional(),
    stopGrace: duration.optional(),
    snapshot: snapshot.optional(),
    security: security.optional(),
    description: text.optional(),
  })
  .refine((value) => value.image !== undefined || value.build !== undefined, {
    message: "give an image, or a build",
    path: ["image"],
    when: isMapping,
  })
  .refine((value) => value.kind !== "cron" || value.schedule !== undefined, {
    message: "a cron component needs a schedule",
    path: ["schedule"],
    when: isMapping,
  })
  .meta({ id: "Component" });

export type Component = z.infer<typeof component>;
export type Probe = z.infer<typeof probe>;
export type Volume = z.infer<typeof volume>;
export type ConfigFile = z.infer<typeof configFile>;
export type ComponentPort = z.infer<typeof componentPort>;
export type PinnedImage = z.infer<typeof pinnedImage>;
export type Resources = z.infer<typeof resources>;
export type Security = z.infer<typeof security>;
