import { openApi } from "@sampan/api";
import type { Generator } from "./generator.ts";

const API_VERSION = "v1";

/** core/api/openapi.json: the HTTP contract for those who do not read TypeScript. */
export const openApiDocument: Generator = {
  name: "OpenAPI document",
  async generate() {
    const text = `${JSON.stringify(openApi(API_VERSION), null, 2)}\n`;
    return [{ path: "core/api/openapi.json", text }];
  },
};
