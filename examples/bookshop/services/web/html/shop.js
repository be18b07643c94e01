import * as api from "./api.js";
import * as basket from "./basket.js";
import { make } from "./element.js";
import {
  authorOf,
  blurbOf,
  categoryName,
  language,
  moment,
  money,
  titleOf,
  toggleLanguage,
  word,
  yearOf,
} from "./words.js";

const page = document.getElementById("page");
const notice = document.getElementById("notice");
const searchBox = document.querySelector("#search input");
let visit = 0;

function tell(text) {
  notice.textContent = text;
  notice.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => {
    notice.hidden = true;
  }, 4000);
}

const trying = (act) => async (event) => {
  event.preventDefault();
  try {
    await act(event);
  } catch (error) {
    tell(word("wrong", error.message));
  }
};

/** A cover of its own for each book: the colour by its shelf, the pattern by its number. */
function cover(book) {
  const hues = { sea: 205, children: 45, mystery: 265, classics: 8, adventure: 24, travel: 165, poetry: 330 };
  const hue =
    hues[book.category] ??
    [...book.category].reduce((sum, letter) => sum + letter.charCodeAt(0) * 7, 0) % 360;
  return make(
    "span",
    { class: `cover pattern-${book.id % 4}`, style: `--hue: ${hue}`, "aria-hidden": "true" },
    make("b", {}, titleOf(book)),
    make("i", {}, authorOf(book)),
  );
}

const card = (book) =>
  make(
    "li",
    {},
    make(
      "a",
      { href: `#/book/${book.id}`, class: "card" },
      cover(book),
      make("strong", {}, titleOf(book)),
      make("span", { class: "quiet" }, authorOf(book)),
      make(
        "span",
        { class: "price" },
        money(book.priceCents),
        book.stock === 0 && make("em", {}, word("soldOut")),
      ),
    ),
  );

const grid = (books) => make("ul", { class: "grid" }, books.map(card));

async function booksPage({ category }) {
  const books = await api.listBooks();
  const categories = [...new Set(books.map((book) => book.category))].sort();
  const chip = (name, text) =>
    make(
      "a",
      {
        href: name === undefined ? "#/" : `#/shelf/${encodeURIComponent(name)}`,
        class: "chip",
        "aria-current": name === category && "page",
      },
      text,
    );
  return [
    make(
      "nav",
      { class: "chips" },
      chip(undefined, word("all")),
      categories.map((name) => chip(name, categoryName(name))),
    ),
    grid(books.filter((book) => category === undefined || book.category === category)),
  ];
}

async function searchPage({ question }) {
  const books = await api.searchBooks(question);
  const heading = books.length === 0 ? word("nothingFound", question) : word("found", books.length, question);
  return [make("h1", {}, heading), grid(books)];
}

async function bookPage({ id }) {
  const [book, recommended] = await Promise.all([api.findBook(id), api.recommendedWith(id)]);
  const add = () => {
    basket.add(book);
    tell(word("added", titleOf(book)));
    frame();
  };
  return [
    make("a", { href: "#/", class: "quiet" }, word("back")),
    make(
      "article",
      { class: "book" },
      cover(book),
      make(
        "div",
        {},
        make("h1", {}, titleOf(book)),
        make("p", { class: "other-title" }, language === "zh" ? book.title : book.titleZh),
        make(
          "p",
          {},
          word("by", authorOf(book)),
          " · ",
          yearOf(book),
          " · ",
          make(
            "a",
            { class: "shelf", href: `#/shelf/${encodeURIComponent(book.category)}` },
            categoryName(book.category),
          ),
        ),
        make("p", { class: "blurb" }, blurbOf(book)),
        make("p", { class: "quiet" }, "ISBN ", book.isbn),
        make(
          "p",
          { class: "buy" },
          make("span", { class: "price big" }, money(book.priceCents)),
          make(
            "button",
            { type: "button", class: "main", disabled: book.stock === 0, onclick: add },
            word("addToBasket"),
          ),
          make("span", { class: "quiet" }, book.stock === 0 ? word("soldOut") : word("inStock", book.stock)),
        ),
      ),
    ),
    recommended.length > 0 && make("section", {}, make("h2", {}, word("together")), grid(recommended)),
  ];
}

const sum = (items) => items.reduce((total, item) => total + item.priceCents * item.quantity, 0);

function basketPage() {
  const items = basket.items();
  if (items.length === 0) return [make("h1", {}, word("basket")), make("p", {}, word("basketEmpty"))];
  const line = (item) =>
    make(
      "tr",
      {},
      make("td", {}, make("a", { href: `#/book/${item.id}` }, titleOf(item))),
      make(
        "td",
        {},
        make("input", {
          type: "number",
          min: "1",
          max: "99",
          value: item.quantity,
          "aria-label": word("copies"),
          onchange: (event) => {
            basket.setQuantity(item.id, event.target.valueAsNumber);
            show();
          },
        }),
      ),
      make("td", { class: "number" }, money(item.priceCents * item.quantity)),
      make(
        "td",
        {},
        make(
          "button",
          {
            type: "button",
            class: "plain",
            onclick: () => {
              basket.remove(item.id);
              show();
            },
          },
          word("remove"),
        ),
      ),
    );
  const order = trying(async (event) => {
    const fields = new FormData(event.target);
    const customer = fields.get("customer").trim();
    const placed = await api.placeOrder({
      reference: basket.reference(),
      customer,
      note: fields.get("note"),
      items: items.map((item) => ({ bookId: item.id, quantity: item.quantity })),
    });
    localStorage.setItem("customer", customer);
    basket.empty();
    tell(word("ordered", placed.id));
    location.hash = "#/orders";
  });
  return [
    make("h1", {}, word("basket")),
    make(
      "table",
      {},
      make("tbody", {}, items.map(line)),
      make(
        "tfoot",
        {},
        make(
          "tr",
          {},
          make("th", { colspan: "2" }, word("total")),
          make("td", { class: "number price" }, money(sum(items))),
          make("td"),
        ),
      ),
    ),
    make(
      "form",
      { class: "order-form", onsubmit: order },
      make(
        "label",
        {},
        word("yourName"),
        make("input", {
          name: "customer",
          required: true,
          maxlength: "80",
          autocomplete: "name",
          value: localStorage.getItem("customer") ?? "",
        }),
      ),
      make("label", {}, word("note"), make("textarea", { name: "note", maxlength: "400", rows: "2" })),
      make("button", { class: "main" }, word("placeOrder")),
    ),
  ];
}

/** Status and total are shown where the shop's order service knows them. */
function orderCard(order) {
  const cancel = trying(async () => {
    await api.cancelOrder(order.id);
    tell(word("orderCancelled", order.id));
    await show();
  });
  return make(
    "article",
    { class: "order" },
    make(
      "header",
      {},
      make("strong", {}, word("orderNo", order.id)),
      make("time", { class: "quiet" }, moment(order.createdAt)),
      order.status !== undefined && make("span", { class: `status ${order.status}` }, word(order.status)),
    ),
    make(
      "ul",
      {},
      order.items.map((item) =>
        make(
          "li",
          {},
          make("a", { href: `#/book/${item.bookId}` }, titleOf(item)),
          ` × ${item.quantity}`,
          make("span", { class: "number" }, money(item.priceCents * item.quantity)),
        ),
      ),
    ),
    order.note !== "" && make("p", { class: "quiet" }, order.note),
    order.totalCents !== undefined &&
      make("p", { class: "total" }, word("total"), make("b", {}, money(order.totalCents))),
    order.status === "placed" &&
      make("button", { type: "button", class: "plain", onclick: cancel }, word("cancel")),
  );
}

async function ordersPage() {
  const customer = localStorage.getItem("customer") ?? "";
  const ask = trying(async (event) => {
    localStorage.setItem("customer", new FormData(event.target).get("customer").trim());
    await show();
  });
  const form = make(
    "form",
    { class: "who", onsubmit: ask },
    make(
      "label",
      {},
      word("whoAreYou"),
      make("input", { name: "customer", required: true, maxlength: "80", value: customer }),
    ),
    make("button", {}, word("show")),
  );
  if (customer === "") return [make("h1", {}, word("orders")), form];
  const orders = await api.listOrders(customer);
  return [
    make("h1", {}, word("ordersOf", customer)),
    form,
    orders.length === 0 ? make("p", {}, word("noOrders")) : orders.map(orderCard),
  ];
}

const PAGES = [
  [/^#?\/?$/, () => booksPage({})],
  [/^#\/shelf\/(.+)$/, (category) => booksPage({ category })],
  [/^#\/search\/(.+)$/, (question) => searchPage({ question })],
  [/^#\/book\/(\d+)$/, (id) => bookPage({ id })],
  [/^#\/basket$/, () => basketPage()],
  [/^#\/orders$/, () => ordersPage()],
];

/** What stands around every page. */
function frame() {
  document.documentElement.lang = language;
  document.getElementById("language").textContent = word("language");
  document.getElementById("to-orders").textContent = word("orders");
  const count = basket.count();
  document.getElementById("to-basket").textContent =
    count === 0 ? word("basket") : `${word("basket")} (${count})`;
  searchBox.placeholder = word("searchHint");
  searchBox.setAttribute("aria-label", word("searchHint"));
}

async function show() {
  visit += 1;
  const mine = visit;
  frame();
  let content;
  try {
    const found = PAGES.map(([pattern, open]) => ({ open, match: pattern.exec(location.hash) })).find(
      ({ match }) => match,
    );
    content = found
      ? await found.open(...found.match.slice(1).map(decodeURIComponent))
      : [make("p", {}, word("notFound"))];
  } catch (error) {
    content = [make("p", { class: "failure" }, word("wrong", error.message))];
  }
  // A slower answer to an earlier visit must not cover this one.
  if (mine === visit) page.replaceChildren(...content.flat().filter(Boolean));
}

let typing;
function searchNow() {
  clearTimeout(typing);
  const question = searchBox.value.trim();
  location.hash = question === "" ? "#/" : `#/search/${encodeURIComponent(question)}`;
}
searchBox.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(searchNow, 250);
});
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  searchNow();
});
document.getElementById("language").addEventListener("click", () => {
  toggleLanguage();
  void show();
});
window.addEventListener("hashchange", () => {
  if (!location.hash.startsWith("#/search/")) searchBox.value = "";
  window.scrollTo(0, 0);
  void show();
});

api.shopName().then(
  (name) => {
    document.getElementById("shop-name").textContent = name;
    document.title = name;
  },
  () => undefined,
);
void show();
