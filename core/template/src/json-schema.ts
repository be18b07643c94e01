import { z } from "zod";
import { app } from "./app.ts";

/** JSON Schema (draft 2020-12) of `app.yaml`, for editors: pretty, with a newline at the end. It knows the form, not what names refer to. */
export function appJsonSchema(): string {
  const schema = z.toJSONSchema(app, { target: "draft-2020-12", io: "input" });
  const { $schema, ...rest } = schema;
  const whole = { $schema, $id: "urn:sampan:schema:app:v1", title: "Sampan app", ...rest };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}
