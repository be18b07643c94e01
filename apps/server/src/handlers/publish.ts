import { type PublishWish, previewPublish } from "@sampan/delivery";
import type { StoredApp } from "@sampan/store";
import type { RequestContext } from "../http/context.ts";
import type { Handlers } from "../http/serve-contract.ts";
import { allowedApp } from "./lookup.ts";
import type { ServerParts } from "./server-parts.ts";

/** Publishing: the report, and the job. */
export function publishHandlers(parts: ServerParts): Pick<Handlers, "reportPublish" | "publish"> {
  return {
    reportPublish: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      await requireOwnTemplate(parts, context, { app, templateId: body.template?.id });
      const preview = await previewPublish(
        parts,
        app,
        publishWish(
          app,
          { ...body, version: body.version ?? "", template: body.template ?? {} },
          context.actor,
        ),
      );
      return {
        findings: [...preview.findings],
        suggestedVersion: preview.suggestedVersion,
        ...(preview.replaces === undefined ? {} : { replaces: preview.replaces }),
        components: [...preview.components],
        changes: preview.changes.map((change) => ({ ...change })),
      };
    },
    publish: async ({ params, body }, context) => {
      const app = await allowedApp(parts, context, params.id);
      if (body.scope === "enterprise") context.require("library.write", app.teamId);
      await requireOwnTemplate(parts, context, { app, templateId: body.template.id });
      const wish = publishWish(app, body, context.actor);
      const job = await parts.store.jobs.enqueue({
        kind: "publish",
        input: { wish, newTemplateId: newTemplateId(parts, body.template.name ?? app.name) },
        startedBy: context.actor.name,
        teamId: app.teamId,
        subject: app.id,
        lane: "publish",
      });
      return { jobId: job.id };
    },
  };
}

type PublishBody = Parameters<Handlers["publish"]>[0]["body"];
type PartialBody = { readonly [K in keyof PublishBody]?: PublishBody[K] | undefined } & Pick<
  PublishBody,
  "version" | "template"
>;

function publishWish(
  app: StoredApp,
  body: PartialBody,
  by: { readonly userId: string; readonly name: string },
): PublishWish {
  const given = Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined),
  ) as PublishBody;
  const template = Object.fromEntries(
    Object.entries(given.template).filter(([, value]) => value !== undefined),
  );
  const defaults = { scope: "team", values: [], scaling: {}, replace: false, accept: [] };
  return {
    ...defaults,
    ...given,
    template,
    appId: app.id,
    by: { userId: by.userId, name: by.name },
  } as PublishWish;
}

/** Readable, and the same nowhere else. */
function newTemplateId(parts: ServerParts, name: string): string {
  const stem = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  const tail = Buffer.from(parts.randomBytes(5)).toString("hex");
  return stem === "" ? `template-${tail}` : `${stem}-${tail}`;
}

/** A team publishes into templates of its own; into others an administrator of the enterprise does. */
async function requireOwnTemplate(
  parts: ServerParts,
  context: RequestContext,
  of: { readonly app: StoredApp; readonly templateId: string | undefined },
): Promise<void> {
  if (of.templateId === undefined) return;
  const template = await parts.store.templates.get(of.templateId);
  if (template.teamId !== of.app.teamId) context.require("enterprise.manage", undefined);
  else if (template.scope === "enterprise") context.require("library.write", of.app.teamId);
}
