const LOCK_WAIT_SECONDS = 60;

/** What 3.0 added; 2.9 may be what was here before. */
const STEPS_OF_3_0 = [
  "ALTER TABLE orders ADD COLUMN IF NOT EXISTS status ENUM('placed', 'confirmed', 'cancelled') NOT NULL DEFAULT 'placed'",
  "ALTER TABLE orders ADD COLUMN IF NOT EXISTS total_cents INT UNSIGNED NULL",
  "ALTER TABLE orders ADD INDEX IF NOT EXISTS orders_by_status (status, created_at)",
];

/** Names are told apart to the last bit: "Ada" and "ada" stay two customers, as they were written. */
const MAKE_CUSTOMERS = `CREATE TABLE IF NOT EXISTS customers (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL UNIQUE
) ENGINE = InnoDB`;

const HAS_NAMES = `SELECT COUNT(*) AS found FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'orders' AND column_name = 'customer'`;

/** The last one takes the names out of `orders`: as one statement it is done whole, or not at all. */
const MOVE_NAMES = [
  "ALTER TABLE orders ADD COLUMN IF NOT EXISTS customer_id INT UNSIGNED NULL AFTER reference",
  // What an older version orders meanwhile waits, and is then refused: none is missed.
  "LOCK TABLES orders WRITE, orders AS o WRITE, order_items READ, customers WRITE, customers AS c WRITE",
  `UPDATE orders AS o
     JOIN (SELECT order_id, SUM(quantity * price_cents) AS total FROM order_items GROUP BY order_id) i ON i.order_id = o.id
      SET o.total_cents = i.total WHERE o.total_cents IS NULL`,
  `INSERT IGNORE INTO customers (name) SELECT DISTINCT o.customer COLLATE utf8mb4_nopad_bin FROM orders AS o`,
  `UPDATE orders AS o JOIN customers AS c ON c.name = o.customer COLLATE utf8mb4_nopad_bin SET o.customer_id = c.id`,
  `ALTER TABLE orders
    DROP INDEX orders_by_customer,
    DROP COLUMN customer,
    MODIFY COLUMN customer_id INT UNSIGNED NOT NULL,
    ADD INDEX orders_by_customer (customer_id, id),
    ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)`,
];

/**
 * Brings the tables of 2.9 or 3.0 to 3.1: customers get a table of their own. Nothing is lost, but there is no way back:
 * the orders of 2.9 and 3.0 look for the names where they are no longer. Stopped anywhere, the next start goes on from there.
 */
export async function migrate({ database, log }) {
  const connection = await database.getConnection();
  try {
    const [[{ locked }]] = await connection.query("SELECT GET_LOCK('bookshop.migrate', ?) AS locked", [
      LOCK_WAIT_SECONDS,
    ]);
    if (locked !== 1) throw new Error(`another migration has run for ${LOCK_WAIT_SECONDS} seconds`);
    for (const step of [...STEPS_OF_3_0, MAKE_CUSTOMERS]) await connection.query(step);
    const [[{ found }]] = await connection.query(HAS_NAMES);
    if (found === 1) for (const step of MOVE_NAMES) await connection.query(step);
    log.info({ moved: found === 1 }, "the tables are those of 3.1");
  } finally {
    // Its locks, of tables and of the name, end with it.
    connection.destroy();
  }
}
