"""Says which books are often ordered together."""

import os

import pymysql
from flask import Flask, jsonify

from database import cursor

RECOMMENDED_MAX = int(os.environ.get("RECOMMENDED_MAX", "4"))
COLUMNS = """b.id, b.isbn, b.title, b.title_zh AS titleZh, b.author, b.author_zh AS authorZh, b.year, b.category,
             b.price_cents AS priceCents, b.stock, b.blurb, b.blurb_zh AS blurbZh"""
TOGETHER = f"""
    SELECT {COLUMNS}, COUNT(*) AS times
      FROM order_items this
      JOIN order_items other ON other.order_id = this.order_id AND other.book_id <> this.book_id
      JOIN books b ON b.id = other.book_id
     WHERE this.book_id = %s
     GROUP BY b.id ORDER BY times DESC, b.id LIMIT %s"""
SAME_SHELF = f"""
    SELECT {COLUMNS}, 0 AS times
      FROM books this JOIN books b ON b.category = this.category AND b.id <> this.id
     WHERE this.id = %s ORDER BY b.id LIMIT %s"""

app = Flask(__name__)
app.json.ensure_ascii = False


@app.get("/books/<int:book_id>")
def recommend(book_id):
    """Books that were in the same orders, the most frequent first; then, where those are few, of the same shelf."""
    with cursor() as database:
        database.execute(TOGETHER, [book_id, RECOMMENDED_MAX])
        books = list(database.fetchall())
        if len(books) < RECOMMENDED_MAX:
            database.execute(SAME_SHELF, [book_id, 2 * RECOMMENDED_MAX])
            known = {book["id"] for book in books}
            books += [book for book in database.fetchall() if book["id"] not in known]
    return jsonify(books=books[:RECOMMENDED_MAX])


@app.get("/healthz")
def healthz():
    return jsonify(service="recommend")


@app.get("/readyz")
def readyz():
    with cursor() as database:
        database.execute("SELECT 1")
    return jsonify(service="recommend")


@app.errorhandler(pymysql.err.Error)
def unavailable(error):
    app.logger.warning("the database cannot be asked: %s", error)
    return jsonify(error="UNAVAILABLE", message="there are no recommendations just now"), 503
