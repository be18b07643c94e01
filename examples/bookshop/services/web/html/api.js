/** The shop's services, behind /api. */

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options) {
  const answer = await fetch(`api/${path}`, options);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body.message ?? `${answer.status} ${answer.statusText}`);
  return body;
}

const post = (path, body) =>
  ask(path, {
    method: "POST",
    headers: body === undefined ? {} : { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const books = async (path) => (await ask(path)).books;

export const listBooks = () => books("catalog/books");
export const findBook = async (id) => (await ask(`catalog/books/${id}`)).book;
export const listOrders = async (customer) =>
  (await ask(`orders/orders?customer=${encodeURIComponent(customer)}`)).orders;
export const placeOrder = async (order) => (await post("orders/orders", order)).order;
export const cancelOrder = async (id) => (await post(`orders/orders/${id}/cancel`)).order;

/** Where the shop has no search, its own list is looked through. */
export async function searchBooks(question) {
  try {
    return await books(`search/books?q=${encodeURIComponent(question)}`);
  } catch {
    const wanted = question.toLowerCase();
    return (await listBooks()).filter((book) =>
      [book.title, book.titleZh, book.author, book.authorZh].some((text) =>
        text.toLowerCase().includes(wanted),
      ),
    );
  }
}

/** None where the shop does not recommend. */
export const recommendedWith = (id) => books(`recommend/books/${id}`).catch(() => []);

export const shopName = async () => (await (await fetch("shop.json")).json()).shopName;
