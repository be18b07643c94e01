import { deliveryProblem, observe } from "@sampan/delivery";
import type { InstanceRef } from "@sampan/runtime";
import type { StoredApp } from "@sampan/store";
import type { Handlers } from "../http/serve-contract.ts";
import { mergeLogs } from "../merge-logs.ts";
import { allowedApp } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

const EXEC_OUTPUT_BYTES_MAX = 1024 * 1024;

type InstanceNames = "restartComponent" | "execComponent" | "getComponentLogs" | "getComponentStats";

/** What is done with instances that run, and seen of them. */
export function instanceHandlers(parts: ServerParts): Pick<Handlers, InstanceNames> {
  return { ...actHandlers(parts), ...watchHandlers(parts) };
}

function actHandlers(parts: ServerParts): Pick<Handlers, "restartComponent" | "execComponent"> {
  const { driver } = parts;
  return {
    restartComponent: async ({ params }, context) => {
      const app = await allowedApp(parts, context, params.id);
      for (const { ref } of await instancesOf(parts, app, params.component)) await driver.restart(ref);
      await parts.store.events.add({
        what: "component.restart",
        who: context.actor.name,
        outcome: "done",
        teamId: app.teamId,
        appId: app.id,
        subject: params.component,
      });
      return undefined;
    },
    execComponent: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      const instances = await instancesOf(parts, app, params.component);
      const target =
        body.index === undefined ? instances[0] : instances.find((one) => one.index === body.index);
      if (target === undefined)
        throw deliveryProblem("NOT_FOUND", `${params.component} has no instance ${body.index ?? ""}`.trim());
      // What was run is on the audit trail before it runs; its words may hold secrets, so only the program's name is kept.
      await parts.store.events.add({
        what: "component.exec",
        who: context.actor.name,
        outcome: "begun",
        teamId: app.teamId,
        appId: app.id,
        subject: `${params.component} ${body.command[0]}`,
      });
      return await driver.exec(target.ref, body.command, {
        timeoutMs: body.timeoutMs,
        outputBytesMax: EXEC_OUTPUT_BYTES_MAX,
        signal: context.facts.signal,
      });
    },
  };
}

function watchHandlers(parts: ServerParts): Pick<Handlers, "getComponentLogs" | "getComponentStats"> {
  const { driver } = parts;
  return {
    getComponentLogs: async ({ params, query }, context) => {
      const app = await allowedApp(parts, context, params.id);
      const instances = (await instancesOf(parts, app, params.component)).filter(
        (one) => query.instance === undefined || one.index === query.instance,
      );
      const options = {
        follow: query.follow === true,
        signal: context.facts.signal,
        ...(query.tail === undefined ? {} : { tail: query.tail }),
        ...(query.since === undefined ? {} : { since: query.since }),
      };
      const sources = instances.map(({ ref, index }) => ({ index, lines: driver.logs(ref, options) }));
      return mergeLogs(params.component, sources, { follow: options.follow });
    },
    getComponentStats: async ({ params }, context) => {
      const app = await allowedApp(parts, context, params.id);
      const items = await Promise.all(
        (await instancesOf(parts, app, params.component)).map(async ({ ref, index }) => ({
          index,
          ...(await driver.stats(ref)),
        })),
      );
      return { items };
    },
  };
}

async function instancesOf(
  parts: ServerParts,
  app: StoredApp,
  component: string,
): Promise<readonly { readonly ref: InstanceRef; readonly index: number }[]> {
  if (app.spec.components[component] === undefined) {
    throw deliveryProblem("NOT_FOUND", `${app.name} has no component ${component}`, {
      hint: `it has ${Object.keys(app.spec.components).join(", ")}`,
    });
  }
  const seen = await observe(parts, app);
  const instances = seen.components.find((one) => one.name === component)?.instances ?? [];
  if (instances.length === 0)
    throw deliveryProblem("NOT_FOUND", `no instance of ${component} is there`, {
      why: seen.remarks.join("; ") || "it is off, stopped or not made yet",
    });
  return instances.map(({ id, index }) => ({ index, ref: { app: app.id, component, id } }));
}
