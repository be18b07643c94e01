import { z } from "zod";
import { API_PREFIX, contract } from "./contract.ts";
import { PERMISSIONS } from "./permissions.ts";
import type { Route } from "./route.ts";

type Json = Record<string, unknown>;

/** The contract as an OpenAPI 3.1 document. */
export function openApi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, row] of Object.entries(contract) as [string, Route][]) {
    const path = `${API_PREFIX}${row.path.replace(/:([A-Za-z]+)/g, "{$1}")}`;
    paths[path] ??= {};
    paths[path][row.method.toLowerCase()] = operation(name, row);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sampan",
      version,
      summary: "Carries running multi-component applications across an air gap",
    },
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "sampan_session" },
      },
    },
  };
}

const problemSchema: Json = {
  type: "object",
  required: ["type", "title", "status", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string", description: "What happened." },
    status: { type: "integer" },
    code: { type: "string", description: "Stable; see docs/reference/problems.md." },
    exit: { type: "integer", description: "Exit code of the command line." },
    why: { type: "string" },
    hint: { type: "string", description: "What to do next." },
    faults: {
      type: "array",
      items: {
        type: "object",
        properties: { path: { type: "string" }, line: { type: "integer" }, message: { type: "string" } },
      },
    },
  },
};

function operation(name: string, row: Route): Json {
  return {
    operationId: name,
    summary: row.summary,
    tags: [row.tag],
    description:
      row.permission === "public"
        ? "No login."
        : `Permission ${row.permission}: ${PERMISSIONS[row.permission].title}.`,
    security: row.permission === "public" ? [] : [{ token: [] }, { session: [] }],
    parameters: [...parametersOf(row.params, "path"), ...parametersOf(row.query, "query")],
    ...(row.body === undefined ? {} : { requestBody: { required: true, content: bodyContent(row.body) } }),
    responses: {
      [String(row.status ?? (row.reply === "none" ? 204 : 200))]: replyOf(row),
      default: {
        description: "A problem",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function bodyContent(body: NonNullable<Route["body"]>): Json {
  return body === "bytes"
    ? { "application/octet-stream": {} }
    : { "application/json": { schema: schemaOf(body, "input") } };
}

function replyOf(row: Route): Json {
  if (row.event !== undefined)
    return {
      description: "Server-sent events; each data is this",
      content: { "text/event-stream": { schema: schemaOf(row.event, "output") } },
    };
  if (row.reply === "none") return { description: "Done" };
  if (row.reply === "bytes") return { description: "The bytes", content: { "application/octet-stream": {} } };
  return { description: "Done", content: { "application/json": { schema: schemaOf(row.reply, "output") } } };
}

function parametersOf(schema: z.ZodType | undefined, place: "path" | "query"): Json[] {
  if (schema === undefined) return [];
  const object = schemaOf(schema, "input") as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(object.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || (object.required ?? []).includes(name),
    schema: property,
  }));
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
  return rest;
}
