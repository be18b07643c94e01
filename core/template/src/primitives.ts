import { z } from "zod";

/** A name that is also a DNS label: components, apps, ports, volumes, modules. */
export const name = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,40}[a-z0-9])?$/, "use 1 to 42 of a-z, 0-9 and -, beginning with a letter")
  .meta({
    id: "Name",
    description: "Lower-case letters, digits and dashes; begins with a letter; at most 42.",
  });

/** The stable identity of a component, given once and kept for ever. Never shown as a name. */
export const componentId = z.string().regex(/^[a-z0-9][a-z0-9_-]{2,62}$/, "use 3 to 63 of a-z, 0-9, _ and -");

export const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "use letters, digits and _, beginning with a letter or _");

export const parameterName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, "use a-z, 0-9 and _, beginning with a letter");

const DURATION = /^(\d{1,9})(ms|s|m|h)$/;
const DURATION_UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export const duration = z
  .string()
  .regex(DURATION, "write a duration such as 500ms, 10s, 2m or 1h")
  .meta({ id: "Duration", description: "A whole number and a unit: ms, s, m or h." });

/** Milliseconds of a duration that was parsed before. */
export function durationMs(text: string): number {
  const match = DURATION.exec(text);
  return match === null ? Number.NaN : Number(match[1]) * (DURATION_UNIT_MS[match[2] ?? ""] ?? Number.NaN);
}

const SIZE = /^(\d{1,12})(KiB|MiB|GiB|TiB)$/;
const SIZE_UNIT_BYTES: Readonly<Record<string, number>> = {
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

export const size = z
  .string()
  .regex(SIZE, "write a size such as 128MiB or 2GiB")
  .meta({ id: "Size", description: "A whole number and a unit: KiB, MiB, GiB or TiB." });

/** Bytes of a size that was parsed before. */
export function sizeBytes(text: string): number {
  const match = SIZE.exec(text);
  return match === null ? Number.NaN : Number(match[1]) * (SIZE_UNIT_BYTES[match[2] ?? ""] ?? Number.NaN);
}

export const cpu = z
  .number()
  .min(0.01)
  .max(1024)
  .meta({ id: "Cpu", description: "Processor cores, such as 0.5." });
export const port = z.int().min(1).max(65535);
export const title = z.string().min(1).max(120);
export const text = z.string().max(64 * 1024);
/** An absolute path inside a container, without `..`. */
export const containerPath = z
  .string()
  .max(1024)
  .regex(/^(?![^\0]*\/\.\.(?:\/|$))\/[^\0]*$/, "use an absolute path without ..");

/** Integer written as digits of an octal file mode, such as "0644". */
export const fileMode = z.string().regex(/^0?[0-7]{3}$/, 'write an octal mode such as "0644"');
