import { Refusal } from "./order.js";

const ORDERS_LISTED_MAX = 100;

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
      `SELECT id, reference, customer, note, created_at AS createdAt FROM orders WHERE ${where}
        ORDER BY id DESC LIMIT ${ORDERS_LISTED_MAX}`,
      values,
    );
    return withItems(orders);
  }

  async function store(connection, order) {
    const [stored] = await connection.execute(
      "INSERT INTO orders (reference, customer, note) VALUES (?, ?, ?)",
      [order.reference, order.customer, order.note],
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
  }

  return {
    list: ({ customer }) =>
      customer === undefined ? select("TRUE", []) : select("customer = ?", [customer]),

    find: async (id) => (await select("id = ?", [id]))[0],

    /** Stores an order and takes its books from the stock: all or nothing. The same reference again gives the first order. */
    async add(order) {
      const [known] = await select("reference = ?", [order.reference]);
      if (known !== undefined) return { order: known, isNew: false };
      const connection = await database.getConnection();
      try {
        await connection.beginTransaction();
        await store(connection, order);
        await connection.commit();
      } catch (error) {
        await connection.rollback().catch(() => undefined);
        if (error.code !== "ER_DUP_ENTRY") throw error;
      } finally {
        connection.release();
      }
      const [added] = await select("reference = ?", [order.reference]);
      return { order: added, isNew: true };
    },
  };
}

const byBook = (one, other) => one.bookId - other.bookId;
