import { readFileSync } from "node:fs";
import Fastify from "fastify";
import mysql from "mysql2/promise";
import { openCatalogCache } from "./catalog-cache.js";
import { confirmInTime } from "./confirm.js";
import { knownBooksOf } from "./known-books.js";
import { ledgerOf } from "./ledger.js";
import { migrate } from "./migrate.js";
import { newOrder, Refusal } from "./order.js";
import { readSettings } from "./settings.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const settings = readSettings(process.env);
const app = Fastify({
  logger: { level: settings.logLevel },
  disableRequestLogging: true,
  bodyLimit: 64 * 1024,
});
const database = mysql.createPool({
  ...settings.database,
  connectionLimit: 8,
  connectTimeout: 3000,
  timezone: "Z",
});
// The session speaks UTC too, whatever the server's zone: times are read as they were written.
database.on("connection", (connection) => connection.query("SET time_zone = '+00:00'"));
const catalogCache = openCatalogCache(settings.redis, { log: app.log });
const knownBooks = knownBooksOf({ catalogUrl: settings.catalogUrl, log: app.log });
const ledger = ledgerOf({ database });
const orderBody = newOrder({ copiesMax: settings.copiesMax });

const idParam = { params: { type: "object", properties: { id: { type: "integer", minimum: 1 } } } };
const customerQuery = {
  querystring: { type: "object", properties: { customer: { type: "string", maxLength: 80 } } },
};

app.setErrorHandler((error, request, reply) => {
  if (error instanceof Refusal || error.statusCode < 500) {
    return reply.code(error.statusCode).send({ error: error.code ?? "BAD_REQUEST", message: error.message });
  }
  request.log.error(error);
  return reply
    .code(503)
    .send({ error: "UNAVAILABLE", message: "the order book cannot be reached; try again" });
});

app.get("/healthz", async () => ({ service: "orders", version }));

app.get("/readyz", async () => {
  await database.query("SELECT 1");
  return { service: "orders", version };
});

app.get("/orders", { schema: customerQuery }, async (request) => ({
  orders: await ledger.list(request.query),
}));

app.get("/orders/:id", { schema: idParam }, async (request) => {
  const order = await ledger.find(request.params.id);
  if (order === undefined) throw new Refusal("NO_SUCH_ORDER", 404, "there is no such order");
  return { order };
});

app.get("/customers", async () => ({ customers: await ledger.customers() }));

app.post("/orders", async (request, reply) => {
  const read = orderBody.safeParse(request.body);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `${issue.path.join(".") || "order"}: ${issue.message}`);
    throw new Refusal("BAD_ORDER", 400, faults.join("; "));
  }
  const unknown = await knownBooks.firstUnknown(read.data.items.map((item) => item.bookId));
  if (unknown !== undefined) throw new Refusal("NO_SUCH_BOOK", 409, `there is no book ${unknown}`);
  const { order, isNew } = await ledger.add(read.data);
  if (isNew) {
    request.log.info({ order: order.id, items: order.items.length }, "order placed");
    await catalogCache.forget(order.items.map((item) => item.bookId));
  }
  return reply.code(isNew ? 201 : 200).send({ order });
});

app.post("/orders/:id/cancel", { schema: idParam }, async (request) => {
  const order = await ledger.cancel(request.params.id);
  if (order === undefined) throw new Refusal("NO_SUCH_ORDER", 404, "there is no such order");
  request.log.info({ order: order.id }, "order cancelled");
  await catalogCache.forget(order.items.map((item) => item.bookId));
  return { order };
});

let stopConfirming = () => {};

async function stop() {
  stopConfirming();
  await app.close();
  await database.end();
  catalogCache.close();
}
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void stop());

await migrate({ database, log: app.log });
stopConfirming = confirmInTime({ ledger, log: app.log }, settings);
await app.listen({ host: "0.0.0.0", port: settings.port });
