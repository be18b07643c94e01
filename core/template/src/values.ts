import { z } from "zod";
import { parameterName, size, text, title } from "./primitives.ts";

/** A value that is made at install, once, at random; kept by upgrades. */
export const generated = z.strictObject({
  generate: z.strictObject({
    /** Characters; 24 when absent. */
    length: z.int().min(8).max(128).optional(),
    alphabet: z.enum(["alphanumeric", "hex", "lowercase"]).optional(),
  }),
});

/**
 * What an environment variable or a connection value can be: text (in which `${NAME}` stands for another variable of the same
 * component, `$$` for a dollar sign), a parameter, a secret, or a value generated at install.
 */
export const envValue = z
  .union([
    z.string().max(32 * 1024),
    z.strictObject({ parameter: parameterName }),
    z.strictObject({ secret: z.string().max(32 * 1024) }),
    generated,
  ])
  .meta({ id: "EnvValue" });

const parameterBase = {
  title: title.optional(),
  description: text.optional(),
  group: title.optional(),
  required: z.boolean().optional(),
};

/** What the installer is asked. */
export const parameter = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("string"),
      ...parameterBase,
      default: z.string().max(4096).optional(),
      minLength: z.int().min(0).max(4096).optional(),
      maxLength: z.int().min(0).max(4096).optional(),
      /**
       * A regular expression that the whole value must match; at most 200 characters. It is matched in linear time, so it has no
       * lookahead, lookbehind or backreferences (RE2 syntax).
       */
      pattern: z.string().max(200).optional(),
    }),
    z.strictObject({
      type: z.literal("int"),
      ...parameterBase,
      default: z.int().optional(),
      min: z.int().optional(),
      max: z.int().optional(),
    }),
    z.strictObject({ type: z.literal("bool"), ...parameterBase, default: z.boolean().optional() }),
    z.strictObject({
      type: z.literal("enum"),
      ...parameterBase,
      options: z.array(z.string().min(1).max(200)).min(1).max(200),
      default: z.string().optional(),
    }),
    z.strictObject({
      type: z.literal("password"),
      ...parameterBase,
      minLength: z.int().min(0).max(4096).optional(),
      maxLength: z.int().min(0).max(4096).optional(),
    }),
    z.strictObject({
      type: z.literal("size"),
      ...parameterBase,
      default: size.optional(),
      min: size.optional(),
      max: size.optional(),
    }),
  ])
  .meta({ id: "Parameter" });

export type EnvValue = z.infer<typeof envValue>;
export type Parameter = z.infer<typeof parameter>;
/** What a person answered, or a default: by the type of the parameter. */
export type ParameterValue = string | number | boolean;
