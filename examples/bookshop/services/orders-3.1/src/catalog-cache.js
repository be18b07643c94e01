import Redis from "ioredis";

/** Makes the catalog forget books whose stock changed. The cache may be away: its entries then end by themselves. */
export function openCatalogCache(settings, { log }) {
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
    async forget(bookIds) {
      try {
        const lists = await redis.keys("books:list:*");
        const keys = [...bookIds.map((id) => `books:one:${id}`), ...lists];
        if (keys.length > 0) await redis.del(...keys);
      } catch (error) {
        log.warn({ reason: error.message }, "the cache could not be told of the new stock");
      }
    },
    close: () => redis.disconnect(),
  };
}
