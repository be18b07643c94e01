import { type Actor, judge, type Permission } from "@sampan/api";
import { Bug } from "@sampan/problem";
import { serverProblem } from "./problems.ts";

export interface RequestFacts {
  readonly remoteAddress: string;
  readonly range: string | undefined;
  readonly userAgent: string | undefined;
  /** A browser's session, not a token. */
  readonly usesCookie: boolean;
  readonly signal: AbortSignal;
}

/** Of one request: who asks, and the one gate through which a handler reaches what belongs to a team. */
export class RequestContext {
  readonly facts: RequestFacts;
  /** Of the session or token that was shown. */
  readonly tokenId: string | undefined;
  readonly #actor: Actor | undefined;
  readonly #permission: Permission | "public";
  #checked = false;
  readonly cookies: { name: string; value: string | undefined; maxAgeSeconds: number }[] = [];

  constructor(
    who: { readonly actor: Actor; readonly tokenId: string } | undefined,
    permission: Permission | "public",
    facts: RequestFacts,
  ) {
    this.#actor = who?.actor;
    this.tokenId = who?.tokenId;
    this.#permission = permission;
    this.facts = facts;
  }

  get actor(): Actor {
    if (this.#actor === undefined)
      throw serverProblem("API_NOT_LOGGED_IN", "log in first", {
        hint: "sampan login, or send an API token",
      });
    return this.#actor;
  }

  get isLoggedIn(): boolean {
    return this.#actor !== undefined;
  }

  /** Lets the request go on in this team, or throws API_FORBIDDEN. Every route of a team's permission must pass here. */
  allow(teamId: string | undefined): void {
    this.require(this.#permission, teamId);
    this.#checked = true;
  }

  require(permission: Permission | "public", teamId: string | undefined): void {
    if (permission === "public") return;
    const verdict = judge(this.actor, permission, teamId);
    if (!verdict.allowed) {
      throw serverProblem("API_FORBIDDEN", "you may not do this", {
        why: verdict.reason,
        hint: "ask an administrator of the team for the role",
      });
    }
  }

  assertChecked(routeName: string): void {
    if (!this.#checked) throw new Bug(`route ${routeName} did not check its team`);
  }
}
