import { join } from "node:path";
import cookie from "@fastify/cookie";
import { Reconciler } from "@sampan/delivery";
import { LoginPace } from "@sampan/identity";
import { describeError } from "@sampan/problem";
import { registryRoutes } from "@sampan/registry";
import { runJobs } from "@sampan/store";
import fastify, { type FastifyInstance } from "fastify";
import { authenticate, registryAuthorize } from "./authenticate.ts";
import { compose } from "./compose.ts";
import type { ServerConfig } from "./config.ts";
import { appHandlers } from "./handlers/apps.ts";
import { bundleHandlers } from "./handlers/bundles.ts";
import { jobHandlers as jobRouteHandlers } from "./handlers/jobs.ts";
import { libraryHandlers } from "./handlers/library.ts";
import { peopleHandlers } from "./handlers/people.ts";
import type { ServerParts } from "./handlers/server-parts.ts";
import { siteHandlers } from "./handlers/site.ts";
import { serveContract } from "./http/serve-contract.ts";
import { jobHandlers } from "./jobs.ts";

export interface RunningServer {
  readonly url: string;
  readonly parts: ServerParts;
  /** Stops taking requests, hands running jobs back, and closes everything. */
  close(): Promise<void>;
}

const JSON_BODY_BYTES_MAX = 8 * 1024 * 1024;
const JOBS_AT_ONCE = 3;

/** Starts everything: API and registry on one port, the jobs, the reconciler. */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const composed = await compose(config);
  const { parts } = composed;
  const server = fastify({
    logger: { level: config.logLevel, redact: ["req.headers.authorization", "req.headers.cookie"] },
    disableRequestLogging: true,
    bodyLimit: JSON_BODY_BYTES_MAX,
    requestTimeout: 0,
    connectionTimeout: 0,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
  });
  await server.register(cookie);
  await server.register(async (registry) => {
    await registry.register(registryRoutes, {
      store: parts.hold,
      uploadsFolder: join(config.dataFolder, "registry-uploads"),
      authorize: registryAuthorize(parts, composed.engineSecret),
      now: () => new Date(),
    });
  });
  serveApi(server, parts);
  const url = new URL(await server.listen({ host: config.host, port: config.port }));
  composed.listensOn(Number(url.port));
  const work = startWork(server, composed, config);
  return {
    url: url.origin,
    parts,
    async close() {
      await server.close();
      await work.stop();
      await composed.close();
    },
  };
}

function serveApi(server: FastifyInstance, parts: ServerParts): void {
  const pace = new LoginPace(parts.nowMs);
  serveContract(server, {
    handlers: {
      ...siteHandlers(parts),
      ...peopleHandlers(parts, pace),
      ...appHandlers(parts),
      ...libraryHandlers(parts),
      ...bundleHandlers(parts),
      ...jobRouteHandlers(parts),
    },
    authenticate: (request) => authenticate(parts, request),
    onBug: (id, error) => server.log.error({ id, err: error }, "bug"),
  });
}

/** The jobs and the reconciler, until stopped. */
function startWork(
  server: FastifyInstance,
  composed: Awaited<ReturnType<typeof compose>>,
  config: ServerConfig,
): { stop(): Promise<void> } {
  const { parts } = composed;
  const abort = new AbortController();
  const reconciler = new Reconciler(parts, {
    signal: abort.signal,
    everyMs: config.reconcileEveryMs,
    onTrouble: (appId, error) => server.log.warn({ appId, err: error }, describeError(error)),
  });
  composed.onWake((appId) => reconciler.wake(appId));
  const running = [
    reconciler.run(),
    runJobs(parts.store, jobHandlers(parts), {
      workerId: parts.newId("worker"),
      concurrency: JOBS_AT_ONCE,
      signal: abort.signal,
      now: () => new Date(),
      onError: (error, job) => server.log.error({ err: error, job: job?.id }, "job"),
    }),
  ];
  return {
    async stop() {
      abort.abort(new DOMException("the server stops", "AbortError"));
      await Promise.allSettled(running);
    },
  };
}
