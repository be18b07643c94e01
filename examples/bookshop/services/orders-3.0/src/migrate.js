const LOCK_WAIT_SECONDS = 60;

/**
 * Brings the tables of 2.9 to 3.0. Only adds, and what it adds has a default or may be NULL: orders 2.9 works on the
 * result, so that a rollback needs no data to be put back. Safe to run again, and by several at once.
 */
const STEPS = [
  "ALTER TABLE orders ADD COLUMN IF NOT EXISTS status ENUM('placed', 'confirmed', 'cancelled') NOT NULL DEFAULT 'placed'",
  "ALTER TABLE orders ADD COLUMN IF NOT EXISTS total_cents INT UNSIGNED NULL",
  "ALTER TABLE orders ADD INDEX IF NOT EXISTS orders_by_status (status, created_at)",
];

/** Orders of 2.9, also those that it took after a rollback, have no total yet. */
const FILL_TOTALS = `UPDATE orders o
  JOIN (SELECT order_id, SUM(quantity * price_cents) AS total FROM order_items GROUP BY order_id) i ON i.order_id = o.id
   SET o.total_cents = i.total WHERE o.total_cents IS NULL`;

export async function migrate({ database, log }) {
  const connection = await database.getConnection();
  try {
    const [[{ locked }]] = await connection.query("SELECT GET_LOCK('bookshop.migrate', ?) AS locked", [
      LOCK_WAIT_SECONDS,
    ]);
    if (locked !== 1) throw new Error(`another migration has run for ${LOCK_WAIT_SECONDS} seconds`);
    for (const step of STEPS) await connection.query(step);
    const [filled] = await connection.query(FILL_TOTALS);
    log.info({ totals: filled.affectedRows }, "the tables are those of 3.0");
    await connection.query("SELECT RELEASE_LOCK('bookshop.migrate')");
  } finally {
    connection.release();
  }
}
