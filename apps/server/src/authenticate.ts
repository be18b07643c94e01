import { timingSafeEqual } from "node:crypto";
import type { Actor } from "@sampan/api";
import { judge } from "@sampan/api";
import { hashToken } from "@sampan/identity";
import { type Authorize, IMAGES_REPOSITORY } from "@sampan/registry";
import type { FastifyRequest } from "fastify";
import { actorOf } from "./handlers/people.ts";
import { SESSION_COOKIE } from "./handlers/self.ts";
import type { ServerParts } from "./handlers/server-parts.ts";

export interface Authenticated {
  readonly actor: Actor;
  readonly tokenId: string;
}

/** Who asks: by the session's cookie, or by an API token as bearer or as the password of basic authentication. */
export async function authenticate(
  parts: Pick<ServerParts, "store">,
  request: FastifyRequest,
): Promise<Authenticated | undefined> {
  const secret = secretOf(request);
  return secret === undefined ? undefined : await authenticateSecret(parts, secret);
}

async function authenticateSecret(
  parts: Pick<ServerParts, "store">,
  secret: string,
): Promise<Authenticated | undefined> {
  if (secret.length > SECRET_LENGTH_MAX) return undefined;
  const found = await parts.store.tokens.use(hashToken(secret));
  return found === undefined
    ? undefined
    : { actor: await actorOf(parts, found.user), tokenId: found.token.id };
}

const SECRET_LENGTH_MAX = 200;

function secretOf(request: FastifyRequest): string | undefined {
  return request.headers.authorization === undefined
    ? request.cookies[SESSION_COOKIE]
    : headerSecret(request.headers.authorization);
}

function headerSecret(header: string): string | undefined {
  const [scheme = "", value = ""] = header.split(" ");
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const text = Buffer.from(value, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

/**
 * The registry's gate. The engine pulls held images with a password that only this process knows; people push and pull with an API token,
 * into repositories that begin with the name of a team of theirs, or with any name that no team has.
 */
export function registryAuthorize(parts: Pick<ServerParts, "store">, engineSecret: string): Authorize {
  const engine = Buffer.from(hashToken(engineSecret));
  return async (request, access) => {
    // Engines and their clients send a header; a browser's session counts for nothing here.
    const secret = headerSecret(request.headers.authorization ?? "");
    if (secret === undefined) return "challenge";
    if (timingSafeEqual(Buffer.from(hashToken(secret)), engine))
      return access.action === "push" || access.action === "delete" ? "deny" : "allow";
    const known = await authenticateSecret(parts, secret);
    if (known === undefined) return "challenge";
    return mayAccess(parts, known.actor, access);
  };
}

async function mayAccess(
  parts: Pick<ServerParts, "store">,
  actor: Actor,
  access: Parameters<Authorize>[1],
): Promise<"allow" | "deny"> {
  if (actor.enterpriseAdministrator || !("repository" in access)) return "allow";
  // It is the whole hold, whoever published or imported what: it is for the engine.
  if (access.repository === IMAGES_REPOSITORY) return "deny";
  const team = await parts.store.teams.findByName(access.repository.split("/")[0] ?? "");
  const permission = access.action === "pull" ? "app.read" : "image.push";
  const teams = team === undefined ? Object.keys(actor.teams) : [team.id];
  return teams.some((id) => judge(actor, permission, id).allowed) ? "allow" : "deny";
}
