import { z } from "zod";

const port = z.coerce.number().int().min(1).max(65535);

const environment = z.object({
  PORT: port.default(8080),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug"]).default("info"),
  MAX_COPIES: z.coerce.number().int().min(1).max(1000).default(10),
  CONFIRM_AFTER_SECONDS: z.coerce.number().int().min(0).max(86_400).default(60),
  CATALOG_URL: z.string().url(),
  MYSQL_HOST: z.string().min(1),
  MYSQL_PORT: port.default(3306),
  MYSQL_USER: z.string().min(1),
  MYSQL_PASSWORD: z.string().min(1),
  MYSQL_DATABASE: z.string().min(1),
  REDIS_HOST: z.string().min(1),
  REDIS_PORT: port.default(6379),
  REDIS_PASSWORD: z.string().min(1),
});

/** What the service is told by its environment. Throws with every name that is missing or wrong; never with a value. */
export function readSettings(env) {
  const read = environment.safeParse(env);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`the environment is wrong: ${faults.join("; ")}`);
  }
  const found = read.data;
  return {
    port: found.PORT,
    logLevel: found.LOG_LEVEL,
    copiesMax: found.MAX_COPIES,
    confirmAfterSeconds: found.CONFIRM_AFTER_SECONDS,
    catalogUrl: found.CATALOG_URL,
    database: {
      host: found.MYSQL_HOST,
      port: found.MYSQL_PORT,
      user: found.MYSQL_USER,
      password: found.MYSQL_PASSWORD,
      database: found.MYSQL_DATABASE,
    },
    redis: { host: found.REDIS_HOST, port: found.REDIS_PORT, password: found.REDIS_PASSWORD },
  };
}
