import Redis from "ioredis";

/** A cache that may be away: then every read misses, and every write is dropped. */
export function openCache(settings, { cacheSeconds, log }) {
  const redis = new Redis({
    ...settings,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(200 * attempt, 2000),
  });
  let away = false;
  redis.on("ready", () => {
    away = false;
  });
  redis.on("error", (error) => {
    if (!away) log.warn({ reason: error.message }, "the cache is away");
    away = true;
  });

  return {
    async read(key) {
      const found = await redis.get(key).catch(() => null);
      return found === null ? undefined : JSON.parse(found);
    },
    async write(key, value) {
      if (cacheSeconds === 0) return;
      await redis.set(key, JSON.stringify(value), "EX", cacheSeconds).catch(() => undefined);
    },
    close: () => redis.disconnect(),
  };
}
