import type { z } from "zod";
import { alternatives, at, own, type Path } from "./faults.ts";

type Schema = z.core.$ZodType;

/** The schemas that can apply to what stands at a path of a value: several where there are unions that the value does not tell apart. */
export function schemasAt(root: Schema, value: unknown, path: Path): Schema[] {
  let schemas = branches(root, value);
  for (const [index, key] of path.entries()) {
    const inner = at(value, path.slice(0, index + 1));
    schemas = schemas
      .flatMap((schema) => step(schema, String(key)))
      .flatMap((schema) => branches(schema, inner));
  }
  return schemas;
}

/** Keys that mappings at this place may have; empty where any name is allowed. */
export function keysOf(schemas: readonly Schema[]): string[] {
  const keys = schemas.flatMap((schema) => {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    return def.type === "object" ? Object.keys(def.shape) : [];
  });
  return [...new Set(keys)];
}

/** What is expected, in words: "text, or a mapping with `parameter` or `secret`". */
export function describeSchemas(schemas: readonly Schema[]): string {
  const shapes = schemas.flatMap((schema) => {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    return def.type === "object" ? [def.shape] : [];
  });
  const plain = schemas.filter((schema) => schema._zod.def.type !== "object").map(describe);
  const mapping = shapes.length === 0 ? [] : [describeMappings(shapes)];
  return [...new Set([...plain, ...mapping])].join(", or ");
}

function branches(schema: Schema, value: unknown): Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "optional") return branches(def.innerType, value);
  if (def.type !== "union") return [schema];
  const options = def.options.flatMap((option) => branches(option, value));
  if (!("discriminator" in def) || typeof def.discriminator !== "string") return options;
  const kind = at(value, [def.discriminator]);
  const named = options.filter((option) =>
    option._zod.propValues?.[String(def.discriminator)]?.has(String(kind)),
  );
  return named.length > 0 ? named : options;
}

function step(schema: Schema, key: string): Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object": {
      const inner = own(def.shape, key);
      return inner === undefined ? [] : [inner];
    }
    case "record":
      return [def.valueType];
    case "array":
      return [def.element];
    default:
      return [];
  }
}

function describe(schema: Schema): string {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "string":
    case "template_literal":
      return "text";
    case "number":
      return "format" in def || def.checks?.some((check) => check._zod.def.check === "number_format")
        ? "a whole number"
        : "a number";
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "enum":
      return alternatives(Object.values(def.entries).map(String));
    case "literal":
      return alternatives(def.values.map(String));
    case "record":
      return "a mapping";
    default:
      return def.type;
  }
}

function describeMappings(shapes: readonly Readonly<Record<string, Schema>>[]): string {
  const required = shapes.map((shape) =>
    Object.keys(shape).filter((key) => shape[key]?._zod.optin !== "optional"),
  );
  if (shapes.length > 1 && required.every((keys) => keys.length === 1))
    return `a mapping with ${alternatives(required.flat())}`;
  const keys = shapes.length === 1 ? (required[0] ?? []) : [];
  return keys.length === 0 || keys.length > 4
    ? "a mapping"
    : `a mapping with ${keys.map((key) => `\`${key}\``).join(", ")}`;
}
