/** The basket lives in the browser until it is ordered. Its reference goes with the order, so that it is stored once. */

const read = () => JSON.parse(localStorage.getItem("basket") ?? '{"items":[]}');
const write = (basket) => localStorage.setItem("basket", JSON.stringify(basket));

export const items = () => read().items;
export const count = () => items().reduce((sum, item) => sum + item.quantity, 0);

export function add({ id, title, titleZh, priceCents }) {
  const basket = read();
  const known = basket.items.find((item) => item.id === id);
  if (known) known.quantity += 1;
  else basket.items.push({ id, title, titleZh, priceCents, quantity: 1 });
  write({ items: basket.items });
}

export function setQuantity(id, quantity) {
  if (!Number.isInteger(quantity) || quantity < 1) return;
  write({ items: items().map((item) => (item.id === id ? { ...item, quantity } : item)) });
}

export const remove = (id) => write({ items: items().filter((item) => item.id !== id) });
export const empty = () => localStorage.removeItem("basket");

/** The same until the basket changes or is emptied. */
export function reference() {
  const basket = read();
  basket.reference ??= randomUuid();
  write(basket);
  return basket.reference;
}

// crypto.randomUUID is there only on https and localhost; a shop in a closed network is often neither.
function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
