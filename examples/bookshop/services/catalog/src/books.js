const COLUMNS = `id, isbn, title, title_zh AS titleZh, author, author_zh AS authorZh, year, category,
  price_cents AS priceCents, stock, blurb, blurb_zh AS blurbZh`;

/** The books of the shop: from the cache when it has them, else from the database. */
export function booksOf({ database, cache }) {
  async function cached(key, load) {
    const found = await cache.read(key);
    if (found !== undefined) return { value: found, from: "cache" };
    const value = await load();
    if (value !== undefined) await cache.write(key, value);
    return { value, from: "database" };
  }

  return {
    list: ({ category }) =>
      cached(`books:list:${category ?? ""}`, async () => {
        const [rows] =
          category === undefined
            ? await database.execute(`SELECT ${COLUMNS} FROM books ORDER BY id LIMIT 500`)
            : await database.execute(
                `SELECT ${COLUMNS} FROM books WHERE category = ? ORDER BY id LIMIT 500`,
                [category],
              );
        return rows;
      }),

    find: (id) =>
      cached(`books:one:${id}`, async () => {
        const [rows] = await database.execute(`SELECT ${COLUMNS} FROM books WHERE id = ?`, [id]);
        return rows[0];
      }),

    categories: () =>
      cached("books:categories", async () => {
        const [rows] = await database.execute(
          "SELECT category AS name, COUNT(*) AS books FROM books GROUP BY category ORDER BY category",
        );
        return rows;
      }),
  };
}
