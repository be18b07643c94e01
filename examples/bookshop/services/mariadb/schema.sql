CREATE TABLE books (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  isbn CHAR(13) NOT NULL UNIQUE,
  title VARCHAR(200) NOT NULL,
  title_zh VARCHAR(200) NOT NULL,
  author VARCHAR(120) NOT NULL,
  author_zh VARCHAR(120) NOT NULL,
  year SMALLINT NOT NULL,
  category VARCHAR(40) NOT NULL,
  price_cents INT UNSIGNED NOT NULL,
  stock INT UNSIGNED NOT NULL,
  blurb TEXT NOT NULL,
  blurb_zh TEXT NOT NULL,
  KEY books_by_category (category, id)
) ENGINE = InnoDB;

-- `reference` is chosen by the buyer's browser: an order that is sent twice is stored once.
CREATE TABLE orders (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  reference CHAR(36) NOT NULL UNIQUE,
  customer VARCHAR(80) NOT NULL,
  note VARCHAR(400) NOT NULL DEFAULT '',
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY orders_by_customer (customer, id)
) ENGINE = InnoDB;

CREATE TABLE order_items (
  order_id INT UNSIGNED NOT NULL,
  book_id INT UNSIGNED NOT NULL,
  quantity INT UNSIGNED NOT NULL,
  price_cents INT UNSIGNED NOT NULL,
  PRIMARY KEY (order_id, book_id),
  KEY order_items_by_book (book_id),
  CONSTRAINT order_items_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT order_items_book FOREIGN KEY (book_id) REFERENCES books (id)
) ENGINE = InnoDB;
