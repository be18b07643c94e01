"""Finds books by the words of a question, in English and in Chinese."""

import os

import pymysql
from flask import Flask, jsonify, request

from database import cursor
from synonyms import meanings_of, read_synonyms

QUESTION_LENGTH_MAX = 100
WORDS_MAX = 8
RESULTS_MAX = int(os.environ.get("RESULTS_MAX", "30"))
SEARCHED = ("title", "title_zh", "author", "author_zh", "category", "isbn", "blurb", "blurb_zh")
COLUMNS = """id, isbn, title, title_zh AS titleZh, author, author_zh AS authorZh, year, category,
             price_cents AS priceCents, stock, blurb, blurb_zh AS blurbZh"""

app = Flask(__name__)
app.json.ensure_ascii = False
synonyms = read_synonyms()


def condition_of(word):
    """A word is found where it, or one of its synonyms, stands in any of the searched columns."""
    patterns = ["%" + like_escaped(meaning) + "%" for meaning in meanings_of(word, synonyms)]
    tests = [f"{column} LIKE %s" for column in SEARCHED for _ in patterns]
    return "(" + " OR ".join(tests) + ")", patterns * len(SEARCHED)


def like_escaped(text):
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def words_of(question):
    """A whole question that is a known phrase ("science fiction") stays one word."""
    if len(meanings_of(question, synonyms)) > 1:
        return [question]
    return question.split()[:WORDS_MAX]


@app.get("/books")
def find_books():
    question = request.args.get("q", "").strip().lower()[:QUESTION_LENGTH_MAX]
    if not question:
        return jsonify(books=[])
    conditions, values = [], []
    for word in words_of(question):
        condition, patterns = condition_of(word)
        conditions.append(condition)
        values += patterns
    # Books that carry the question in their title come first.
    first = "%" + like_escaped(question) + "%"
    statement = (
        f"SELECT {COLUMNS} FROM books WHERE {' AND '.join(conditions)}"
        " ORDER BY (title LIKE %s OR title_zh LIKE %s) DESC, id LIMIT %s"
    )
    with cursor() as database:
        database.execute(statement, [*values, first, first, RESULTS_MAX])
        return jsonify(books=database.fetchall())


@app.get("/healthz")
def healthz():
    return jsonify(service="search", synonyms=len(synonyms))


@app.get("/readyz")
def readyz():
    with cursor() as database:
        database.execute("SELECT 1")
    return jsonify(service="search")


@app.errorhandler(pymysql.err.Error)
def unavailable(error):
    app.logger.warning("the database cannot be asked: %s", error)
    return jsonify(error="UNAVAILABLE", message="the search cannot reach the books; try again"), 503
