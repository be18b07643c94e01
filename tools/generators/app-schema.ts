import { appJsonSchema } from "@sampan/template";
import type { Generator } from "./generator.ts";

/** The JSON Schema of app.yaml, for editors. */
export const appSchema: Generator = {
  name: "schema of app.yaml",
  async generate() {
    return [{ path: "core/template/schema/app.schema.json", text: appJsonSchema() }];
  },
};
