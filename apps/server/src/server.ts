import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import cookie from "@fastify/cookie";
import { Reconciler, Scheduler } from "@sampan/delivery";
import { LoginPace } from "@sampan/identity";
import { describeError } from "@sampan/problem";
import { registryRoutes } from "@sampan/registry";
import type { MemoryEngine } from "@sampan/runtime";
import { runJobs } from "@sampan/store";
import fastify, { type FastifyInstance, LogController } from "fastify";
import { authenticate, registryAuthorize } from "./authenticate.ts";
import { type Composed, compose } from "./compose.ts";
import { configProblem, type ServerConfig } from "./config.ts";
import { serveFrontPage } from "./front-page.ts";
import { appHandlers } from "./handlers/apps.ts";
import { backupHandlers } from "./handlers/backups.ts";
import { bundleHandlers } from "./handlers/bundles.ts";
import { installationHandlers } from "./handlers/installations.ts";
import { jobHandlers as jobRouteHandlers } from "./handlers/jobs.ts";
import { ledgerHandlers } from "./handlers/ledger.ts";
import { libraryHandlers } from "./handlers/library.ts";
import { peopleHandlers } from "./handlers/people.ts";
import { policyHandlers } from "./handlers/policy.ts";
import { publishHandlers } from "./handlers/publish.ts";
import { recordHandlers } from "./handlers/records.ts";
import { reportHandlers } from "./handlers/reports.ts";
import { selfHandlers } from "./handlers/self.ts";
import type { ServerParts } from "./handlers/server-parts.ts";
import { siteHandlers } from "./handlers/site.ts";
import { snapshotHandlers } from "./handlers/snapshots.ts";
import { keepHouse } from "./housekeeping.ts";
import { answerError } from "./http/answer-error.ts";
import { askerOf, serveContract } from "./http/serve-contract.ts";
import { jobHandlers } from "./jobs.ts";

export interface RunningServer {
  readonly url: string;
  readonly parts: ServerParts;
  /** In development: the engine that is not there. */
  readonly engine?: MemoryEngine;
  /** Stops taking requests, hands running jobs back, and closes everything; within 10 s, whatever does not want to end. Twice is no fault. */
  close(): Promise<void>;
}

export interface ServerOptions {
  /** Where log lines go; standard output when absent. */
  readonly log?: { write(line: string): void };
}

const JSON_BODY_BYTES_MAX = 8 * 1024 * 1024;
const JOBS_AT_ONCE = 3;
const REQUESTS_END_WITHIN_MS = 2000;
const WORK_ENDS_WITHIN_MS = 6000;
const PARTS_CLOSE_WITHIN_MS = 1500;

/** Starts everything: API and registry on one port, the jobs, the reconciler. */
export async function startServer(config: ServerConfig, options: ServerOptions = {}): Promise<RunningServer> {
  const composed = await compose(config);
  const { parts } = composed;
  const server = makeServer(config, options);
  await server.register(cookie);
  await server.register(async (registry) => {
    await registry.register(registryRoutes, {
      store: parts.hold,
      uploadsFolder: join(config.dataFolder, "registry-uploads"),
      authorize: registryAuthorize(parts, composed.engineSecret),
      now: () => new Date(),
    });
  });
  serveFrontPage(server);
  serveApi(server, parts);
  const url = await listen(server, config).catch(async (error: unknown) => {
    await server.close();
    await composed.close();
    throw error;
  });
  composed.listensOn(Number(url.port));
  // The hold is locked by this process, so no other can be working on a job: those of the process before are taken up at once.
  await parts.store.jobs.abandonRunning();
  const work = startWork(server, composed, config);
  const closeAll = async () => {
    const late = (what: string) => server.log.warn(`${what} did not end in time`);
    await within(REQUESTS_END_WITHIN_MS, server.close(), () => late("requests"));
    await within(WORK_ENDS_WITHIN_MS, work.stop(), () => late("work"));
    await within(PARTS_CLOSE_WITHIN_MS, composed.close(), () => late("the parts"));
  };
  let closing: Promise<void> | undefined;
  return {
    url: url.origin,
    parts,
    ...(composed.engine === undefined ? {} : { engine: composed.engine }),
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}

async function listen(server: FastifyInstance, { host, port }: ServerConfig): Promise<URL> {
  try {
    return new URL(await server.listen({ host, port }));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (!CANNOT_LISTEN.has(code)) throw error;
    throw configProblem("CONFIG_INVALID", `the server cannot listen on ${host}:${port}`, {
      why: code === "EADDRINUSE" ? "another program listens there" : describeError(error),
      hint: "stop that program, or choose another address with SAMPAN_LISTEN=HOST:PORT",
      cause: error,
    });
  }
}

const CANNOT_LISTEN = new Set(["EADDRINUSE", "EACCES", "EADDRNOTAVAIL", "ENOTFOUND"]);

/** Whatever is left undone then is as after a power cut: the next start goes on with it. */
async function within(limitMs: number, ending: Promise<unknown>, onLate: () => void): Promise<void> {
  const limit = new AbortController();
  const late = setTimeout(limitMs, "late", { signal: limit.signal }).catch(() => undefined);
  const first = await Promise.race([ending, late]);
  limit.abort();
  if (first === "late") onLate();
}

function makeServer(config: ServerConfig, options: ServerOptions): FastifyInstance {
  const server = fastify({
    logger: { level: config.logLevel, ...(options.log === undefined ? {} : { stream: options.log }) },
    // The lines of its own would hold addresses with their queries; `logRequests` writes what is wanted.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: JSON_BODY_BYTES_MAX,
    requestTimeout: 0,
    connectionTimeout: 0,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => {
      answerError({ request, reply }, error, (id, bug) => request.log.error({ id, err: bug }, "bug"));
    },
  }) as unknown as FastifyInstance;
  logRequests(server);
  return server;
}

/** One line for each request that has ended: the pattern of its route, never what was put into it. */
function logRequests(server: FastifyInstance): void {
  server.addHook("onRequest", async (_request, reply) => {
    reply.headers({ "x-content-type-options": "nosniff", "x-frame-options": "DENY" });
    reply.headers({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
  });
  server.addHook("onResponse", async (request, reply) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? "none",
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        user: askerOf(request),
      },
      "request",
    );
  });
}

function serveApi(server: FastifyInstance, parts: ServerParts): void {
  const pace = new LoginPace(parts.nowMs);
  serveContract(server, {
    handlers: {
      ...siteHandlers(parts),
      ...selfHandlers(parts, pace),
      ...peopleHandlers(parts),
      ...appHandlers(parts),
      ...libraryHandlers(parts),
      ...publishHandlers(parts),
      ...installationHandlers(parts),
      ...recordHandlers(parts),
      ...reportHandlers(parts),
      ...snapshotHandlers(parts),
      ...backupHandlers(parts),
      ...policyHandlers(parts),
      ...bundleHandlers(parts),
      ...ledgerHandlers(parts),
      ...jobRouteHandlers(parts),
    },
    authenticate: (request) => authenticate(parts, request),
    onBug: (id, error) => server.log.error({ id, err: error }, "bug"),
  });
}

/** The jobs, the reconciler, the schedule and housekeeping, until stopped. */
function startWork(
  server: FastifyInstance,
  composed: Composed,
  config: ServerConfig,
): { stop(): Promise<void> } {
  const { parts } = composed;
  const abort = new AbortController();
  const { signal } = abort;
  const onTrouble = (appId: string, error: unknown) =>
    server.log.warn({ appId, err: error }, describeError(error));
  const reconciler = new Reconciler(parts, { signal, everyMs: config.reconcileEveryMs, onTrouble });
  composed.onWake((appId) => reconciler.wake(appId));
  const running = [
    reconciler.run(),
    new Scheduler(parts, { signal, onTrouble }).run(),
    runJobs(parts.store, jobHandlers(parts), {
      workerId: parts.newId("worker"),
      concurrency: JOBS_AT_ONCE,
      signal,
      now: () => new Date(parts.nowMs()),
      onError: (error, job) => server.log.error({ err: error, job: job?.id }, "job"),
    }),
    keepHouse(parts, {
      signal,
      backupsFolder: join(config.dataFolder, "backups"),
      onTrouble: (what, error) => server.log.warn({ err: error }, `cannot ${what}`),
    }),
  ];
  return {
    async stop() {
      abort.abort(new DOMException("the server stops", "AbortError"));
      await Promise.allSettled(running);
    },
  };
}
