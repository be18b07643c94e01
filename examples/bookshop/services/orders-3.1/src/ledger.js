import { Refusal } from "./order.js";

const ORDERS_LISTED_MAX = 100;
const CUSTOMERS_LISTED_MAX = 100;

/** The orders in the database. */
export function ledgerOf({ database }) {
  async function withItems(orders) {
    if (orders.length === 0) return [];
    const [items] = await database.query(
      `SELECT i.order_id AS orderId, i.book_id AS bookId, b.title, b.title_zh AS titleZh, i.quantity,
              i.price_cents AS priceCents
         FROM order_items i JOIN books b ON b.id = i.book_id
        WHERE i.order_id IN (?) ORDER BY i.order_id, i.book_id`,
      [orders.map((order) => order.id)],
    );
    return orders.map((order) => ({
      ...order,
      items: items.filter((item) => item.orderId === order.id).map(({ orderId, ...item }) => item),
    }));
  }

  async function select(where, values) {
    const [orders] = await database.query(
      `SELECT o.id, o.reference, c.name AS customer, o.note, o.created_at AS createdAt, o.status,
              o.total_cents AS totalCents
         FROM orders o JOIN customers c ON c.id = o.customer_id
        WHERE ${where} ORDER BY o.id DESC LIMIT ${ORDERS_LISTED_MAX}`,
      values,
    );
    return withItems(orders);
  }

  /** The number of a customer, who is new with the first order. */
  async function customerIdOf(connection, name) {
    await connection.execute("INSERT IGNORE INTO customers (name) VALUES (?)", [name]);
    const [[{ id }]] = await connection.execute("SELECT id FROM customers WHERE name = ?", [name]);
    return id;
  }

  async function store(connection, order) {
    const customerId = await customerIdOf(connection, order.customer);
    const [stored] = await connection.execute(
      "INSERT INTO orders (reference, customer_id, note) VALUES (?, ?, ?)",
      [order.reference, customerId, order.note],
    );
    // In the order of their numbers, so that two orders of the same books never wait for each other.
    for (const item of [...order.items].sort(byBook)) {
      const [taken] = await connection.execute(
        "UPDATE books SET stock = stock - ? WHERE id = ? AND stock >= ?",
        [item.quantity, item.bookId, item.quantity],
      );
      if (taken.affectedRows === 0) {
        throw new Refusal("NOT_IN_STOCK", 409, `book ${item.bookId} is not in stock in that number`);
      }
      await connection.execute(
        `INSERT INTO order_items (order_id, book_id, quantity, price_cents)
         SELECT ?, id, ?, price_cents FROM books WHERE id = ?`,
        [stored.insertId, item.quantity, item.bookId],
      );
    }
    await connection.execute(
      `UPDATE orders SET total_cents = (SELECT SUM(quantity * price_cents) FROM order_items WHERE order_id = ?)
        WHERE id = ?`,
      [stored.insertId, stored.insertId],
    );
  }

  /** Runs `act` on one connection: all of it is stored, or nothing. */
  async function inTransaction(act) {
    const connection = await database.getConnection();
    try {
      await connection.beginTransaction();
      const result = await act(connection);
      await connection.commit();
      return result;
    } catch (error) {
      await connection.rollback().catch(() => undefined);
      throw error;
    } finally {
      connection.release();
    }
  }

  async function putBack(connection, id) {
    const [cancelled] = await connection.execute(
      "UPDATE orders SET status = 'cancelled' WHERE id = ? AND status = 'placed'",
      [id],
    );
    if (cancelled.affectedRows === 0) {
      throw new Refusal(
        "NOT_CANCELLABLE",
        409,
        "only an order that is placed and not yet confirmed can be cancelled",
      );
    }
    await connection.execute(
      `UPDATE books b JOIN order_items i ON i.book_id = b.id SET b.stock = b.stock + i.quantity WHERE i.order_id = ?`,
      [id],
    );
  }

  return {
    list: ({ customer }) =>
      customer === undefined
        ? select("TRUE", [])
        : select("c.name COLLATE utf8mb4_unicode_ci = ?", [customer]),

    /** Who ordered, and how often, the best customers first. */
    async customers() {
      const [customers] = await database.query(
        `SELECT c.id, c.name, COUNT(o.id) AS orders FROM customers c LEFT JOIN orders o ON o.customer_id = c.id
          GROUP BY c.id ORDER BY orders DESC, c.id LIMIT ${CUSTOMERS_LISTED_MAX}`,
      );
      return customers;
    },

    find: async (id) => (await select("o.id = ?", [id]))[0],

    /** Stores an order and takes its books from the stock: all or nothing. The same reference again gives the first order. */
    async add(order) {
      const [known] = await select("o.reference = ?", [order.reference]);
      if (known !== undefined) return { order: known, isNew: false };
      try {
        await inTransaction((connection) => store(connection, order));
      } catch (error) {
        if (error.code !== "ER_DUP_ENTRY") throw error;
      }
      const [added] = await select("o.reference = ?", [order.reference]);
      return { order: added, isNew: true };
    },

    /** Cancels a placed order and puts its books back into the stock. Gives the order, or undefined where there is none. */
    async cancel(id) {
      if ((await select("o.id = ?", [id])).length === 0) return undefined;
      await inTransaction((connection) => putBack(connection, id));
      return (await select("o.id = ?", [id]))[0];
    },

    /** How many placed orders became confirmed because they are older than `seconds`. */
    async confirmOlderThan({ seconds }) {
      const [confirmed] = await database.execute(
        "UPDATE orders SET status = 'confirmed' WHERE status = 'placed' AND created_at < NOW(3) - INTERVAL ? SECOND",
        [seconds],
      );
      return confirmed.affectedRows;
    },
  };
}

const byBook = (one, other) => one.bookId - other.bookId;
