import { openApi } from "@sampan/api";
import { keyIdOf } from "@sampan/identity";
import { describeError } from "@sampan/problem";
import type { AuditEvent, Page } from "@sampan/store";
import type { Handlers } from "../http/serve-contract.ts";
import { pruneInputs, renderPrunePlan } from "../prune.ts";
import { pageOf, viewPage } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

type SiteNames =
  | "getHealth"
  | "getSite"
  | "getOpenApi"
  | "listKeys"
  | "trustKey"
  | "distrustKey"
  | "planPrune"
  | "prune"
  | "checkHold"
  | "listAudit";

export function siteHandlers(parts: ServerParts): Pick<Handlers, SiteNames> {
  return { ...lookHandlers(parts), ...keyHandlers(parts), ...holdHandlers(parts) };
}

function lookHandlers(
  parts: ServerParts,
): Pick<Handlers, "getHealth" | "getSite" | "getOpenApi" | "listAudit"> {
  const { store } = parts;
  return {
    getHealth: async () => ({
      ok: true,
      version: parts.productVersion,
      setupNeeded: (await store.users.count()) === 0,
    }),
    getOpenApi: async () => openApi(parts.productVersion),
    getSite: async () => ({
      id: parts.site.id,
      enterprise: String((await store.settings.get("enterprise")) ?? ""),
      version: parts.productVersion,
      keyId: parts.site.signer.keyId,
      publicKeyPem: parts.site.publicKeyPem,
      registry: parts.registryHost,
      engine: await engineView(parts),
      hold: await holdView(parts),
    }),
    listAudit: async ({ query }) =>
      await viewPage(await auditPage(parts, query), (event) => ({
        id: String(event.seq),
        at: event.at,
        who: event.who,
        what: event.what,
        outcome: event.outcome,
        ...(event.subject === undefined ? {} : { target: event.subject }),
      })),
  };
}

const FAILED = new Set(["refused", "failed", "cancelled"]);

/** A page of events; of those that did not go well when that is asked, read on until the page is full. */
async function auditPage(
  { store }: ServerParts,
  query: {
    readonly after?: string | undefined;
    readonly limit: number;
    readonly failed?: boolean | undefined;
  },
): Promise<Page<AuditEvent>> {
  if (query.failed !== true) return await store.events.list({ kind: "all" }, {}, pageOf(query));
  const items: AuditEvent[] = [];
  let { after } = query;
  for (let read = 0; read < AUDIT_PAGES_MAX; read++) {
    const page = await store.events.list({ kind: "all" }, {}, pageOf({ after, limit: query.limit }));
    const failed = page.items.filter((event) => FAILED.has(event.outcome));
    if (items.length + failed.length > query.limit) break;
    items.push(...failed);
    after = page.next;
    if (after === undefined) return { items };
  }
  return after === undefined ? { items } : { items, next: after };
}

/** Pages of events that are looked through for one page of the answer. */
const AUDIT_PAGES_MAX = 50;

async function holdView(parts: ServerParts) {
  const { images, layers, pieces, packs, recipes, blobs } = await parts.hold.stats();
  const storedBytes = packs.storedBytes + recipes.storedBytes + blobs.storedBytes;
  return {
    images,
    layers: layers.count,
    pieces: pieces.count,
    rawBytes: layers.bytes,
    storedBytes,
    freeBytes: await parts.hold.freeBytes(),
  };
}

async function engineView(parts: ServerParts) {
  try {
    return { driver: parts.driverName, reachable: true, ...(await parts.driver.capabilities()) };
  } catch (error) {
    return { driver: parts.driverName, reachable: false, message: describeError(error) };
  }
}

function keyHandlers(parts: ServerParts): Pick<Handlers, "listKeys" | "trustKey" | "distrustKey"> {
  const { store, site } = parts;
  return {
    listKeys: async () => {
      const { items } = await store.trustedKeys.list({ limit: 200 });
      const own = {
        keyId: site.signer.keyId,
        name: "this site",
        publicKeyPem: site.publicKeyPem,
        addedAt: "",
        own: true,
      };
      return {
        items: [
          own,
          ...items.filter((key) => key.revokedAt === undefined).map((key) => ({ ...key, own: false })),
        ],
      };
    },
    trustKey: async ({ body }, context) => {
      const keyId = keyIdOf(body.publicKeyPem);
      const key = await store.trustedKeys.put({
        keyId,
        name: body.name,
        publicKeyPem: body.publicKeyPem,
        addedBy: context.actor.name,
      });
      await store.events.add({ what: "key.trust", who: context.actor.name, outcome: "done", subject: keyId });
      return { ...key, own: false };
    },
    distrustKey: async ({ params }, context) => {
      await store.trustedKeys.revoke(params.keyId);
      await store.events.add({
        what: "key.distrust",
        who: context.actor.name,
        outcome: "done",
        subject: params.keyId,
      });
      return undefined;
    },
  };
}

function holdHandlers(parts: ServerParts): Pick<Handlers, "planPrune" | "prune" | "checkHold"> {
  const enqueue = async (kind: "prune" | "check", who: string) => ({
    jobId: (await parts.store.jobs.enqueue({ kind, input: {}, startedBy: who, lane: "hold" })).id,
  });
  return {
    planPrune: async () => renderPrunePlan(await parts.hold.planPrune(await pruneInputs(parts))),
    prune: async (_input, context) => await enqueue("prune", context.actor.name),
    checkHold: async (_input, context) => await enqueue("check", context.actor.name),
  };
}
