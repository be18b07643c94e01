import { readFileSync } from "node:fs";
import Fastify from "fastify";
import mysql from "mysql2/promise";
import { booksOf } from "./books.js";
import { openCache } from "./cache.js";
import { readSettings } from "./settings.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const settings = readSettings(process.env);
const app = Fastify({
  logger: { level: process.env.LOG_LEVEL ?? "info" },
  disableRequestLogging: true,
  // Who has come in before the door was closed is served.
  return503OnClosing: false,
});
const database = mysql.createPool({ ...settings.database, connectionLimit: 8, connectTimeout: 3000 });
const cache = openCache(settings.redis, { cacheSeconds: settings.cacheSeconds, log: app.log });
const books = booksOf({ database, cache });

const idParam = { params: { type: "object", properties: { id: { type: "integer", minimum: 1 } } } };
const categoryQuery = {
  querystring: { type: "object", properties: { category: { type: "string", maxLength: 40 } } },
};

app.setErrorHandler((error, request, reply) => {
  if (error.statusCode < 500) {
    return reply.code(error.statusCode).send({ error: "BAD_REQUEST", message: error.message });
  }
  request.log.error(error);
  return reply.code(503).send({ error: "UNAVAILABLE", message: "the catalog cannot be read; try again" });
});

app.get("/healthz", async () => ({ service: "catalog", version }));

app.get("/readyz", async () => {
  await database.query("SELECT 1");
  return { service: "catalog", version };
});

app.get("/books", { schema: categoryQuery }, async (request, reply) => {
  const { value, from } = await books.list(request.query);
  return reply.header("x-answered-from", from).send({ books: value });
});

app.get("/books/:id", { schema: idParam }, async (request, reply) => {
  const { value, from } = await books.find(request.params.id);
  if (value === undefined)
    return reply.code(404).send({ error: "NO_SUCH_BOOK", message: "there is no such book" });
  return reply.header("x-answered-from", from).send({ book: value });
});

app.get("/categories", async () => ({ categories: (await books.categories()).value }));

async function stop() {
  await app.close();
  await database.end();
  cache.close();
}
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void stop());

await app.listen({ host: "0.0.0.0", port: settings.port });
