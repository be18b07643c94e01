import type { Handlers } from "../http/serve-contract.ts";
import type { ServerParts } from "./server-parts.ts";

/** What the site asks of those who change apps. */
export function policyHandlers(parts: ServerParts): Pick<Handlers, "getPolicy" | "setPolicy"> {
  const { policy, events } = parts.store;
  return {
    getPolicy: async () => await policy.get(),
    setPolicy: async ({ body }, context) => {
      const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      const changed = await policy.set(given);
      await events.add({
        what: "policy.change",
        who: context.actor.name,
        outcome: "done",
        details: given,
      });
      return changed;
    },
  };
}
