/** The page's own texts. Books bring theirs in both languages. */
const WORDS = {
  en: {
    language: "中文",
    searchHint: "Search title, author, subject…",
    basket: "Basket",
    orders: "My orders",
    all: "All",
    nothingFound: "Nothing found for “{0}”.",
    found: "{0} books for “{1}”",
    by: "by {0}",
    inStock: "{0} in stock",
    soldOut: "sold out",
    addToBasket: "Add to basket",
    added: "“{0}” is in the basket.",
    back: "← All books",
    together: "Readers also took",
    basketEmpty: "The basket is empty. Find a book you like.",
    copies: "Copies",
    remove: "Remove",
    total: "Total",
    yourName: "Your name",
    note: "Note (gift wrap, delivery…)",
    placeOrder: "Place the order",
    ordered: "Thank you! Order no. {0} is placed.",
    ordersOf: "Orders of {0}",
    whoAreYou: "Under which name did you order?",
    show: "Show",
    noOrders: "There are no orders under this name yet.",
    orderNo: "Order no. {0}",
    placed: "placed",
    confirmed: "confirmed",
    cancelled: "cancelled",
    cancel: "Cancel the order",
    orderCancelled: "Order no. {0} is cancelled.",
    notFound: "This page does not exist.",
    wrong: "That did not work: {0}",
    year: "{0}",
    yearBefore: "{0} BC",
    categories: {},
  },
  zh: {
    language: "English",
    searchHint: "搜索书名、作者、主题……",
    basket: "购物篮",
    orders: "我的订单",
    all: "全部",
    nothingFound: "没有找到“{0}”。",
    found: "“{1}”：{0} 本书",
    by: "{0} 著",
    inStock: "库存 {0} 本",
    soldOut: "已售罄",
    addToBasket: "放入购物篮",
    added: "《{0}》已放入购物篮。",
    back: "← 全部图书",
    together: "读者还一起买了",
    basketEmpty: "购物篮还是空的，去挑一本喜欢的书吧。",
    copies: "数量",
    remove: "移除",
    total: "合计",
    yourName: "您的姓名",
    note: "备注（包装、送货……）",
    placeOrder: "提交订单",
    ordered: "谢谢！订单 {0} 已提交。",
    ordersOf: "{0} 的订单",
    whoAreYou: "您下单时用的姓名是？",
    show: "查看",
    noOrders: "这个姓名下还没有订单。",
    orderNo: "订单 {0}",
    placed: "已下单",
    confirmed: "已确认",
    cancelled: "已取消",
    cancel: "取消订单",
    orderCancelled: "订单 {0} 已取消。",
    notFound: "没有这个页面。",
    wrong: "没有成功：{0}",
    year: "{0} 年",
    yearBefore: "公元前 {0} 年",
    categories: {
      adventure: "历险",
      children: "儿童",
      "chinese classics": "中国古典",
      classics: "世界名著",
      mystery: "推理",
      philosophy: "哲学",
      poetry: "诗歌",
      science: "科学",
      "science fiction": "科幻",
      sea: "海洋",
      travel: "旅行",
    },
  },
};

export let language = localStorage.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

export function toggleLanguage() {
  language = language === "en" ? "zh" : "en";
  localStorage.setItem("language", language);
}

export function word(name, ...values) {
  return WORDS[language][name].replace(/\{(\d)\}/g, (_, index) => String(values[Number(index)]));
}

export const categoryName = (category) => WORDS[language].categories[category] ?? category;
export const titleOf = (book) => (language === "zh" ? book.titleZh : book.title);
export const authorOf = (book) => (language === "zh" ? book.authorZh : book.author);
export const blurbOf = (book) => (language === "zh" ? book.blurbZh : book.blurb);
export const yearOf = (book) => (book.year < 0 ? word("yearBefore", -book.year) : word("year", book.year));
export const money = (cents) =>
  new Intl.NumberFormat(language, {
    style: "currency",
    currency: "CNY",
    currencyDisplay: "narrowSymbol",
  }).format(cents / 100);
export const moment = (iso) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
