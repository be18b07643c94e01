/** What the service is told by its environment. Throws on the first name that is missing or out of range. */
export function readSettings(env) {
  return {
    port: integer(env, "PORT", { default: 8080, min: 1, max: 65535 }),
    cacheSeconds: integer(env, "CACHE_SECONDS", { default: 30, min: 0, max: 86_400 }),
    database: {
      host: text(env, "MYSQL_HOST"),
      port: integer(env, "MYSQL_PORT", { default: 3306, min: 1, max: 65535 }),
      user: text(env, "MYSQL_USER"),
      password: text(env, "MYSQL_PASSWORD"),
      database: text(env, "MYSQL_DATABASE"),
    },
    redis: {
      host: text(env, "REDIS_HOST"),
      port: integer(env, "REDIS_PORT", { default: 6379, min: 1, max: 65535 }),
      password: text(env, "REDIS_PASSWORD"),
    },
  };
}

function text(env, name) {
  const value = env[name];
  if (value === undefined || value === "") throw new Error(`the environment variable ${name} is missing`);
  return value;
}

function integer(env, name, range) {
  const value = env[name] === undefined || env[name] === "" ? range.default : Number(env[name]);
  if (!Number.isInteger(value) || value < range.min || value > range.max) {
    throw new Error(`${name} must be a whole number from ${range.min} to ${range.max}`);
  }
  return value;
}
