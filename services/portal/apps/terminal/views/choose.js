import { h } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { onList } from "../catalogue.js";
import { dayText, goodsText } from "../sentences.js";

const MANY = 12;

/** What was made: a tap on the product. @param {import("../main.js").TerminalApp} app */
export function chooseView(app) {
  const products = recentFirst(app, onList(app.catalogue));
  const heading = h("h1", {}, tr("What was made?"));
  if (!products.length)
    return [
      heading,
      h(
        "div",
        { class: "empty" },
        h("p", { class: "empty-title" }, tr("The list of products is not here yet")),
        h("p", {}, tr("It comes by itself with the first connection.")),
      ),
    ];
  const fitting = (/** @type {string} */ text) =>
    products.filter(({ name, product }) => `${name} ${product}`.toLowerCase().includes(text.trim().toLowerCase()));
  const grid = h("div", { class: "products", id: "products" });
  const fill = () => grid.replaceChildren(...fitting(app.filter).map((product) => button(app, product)));
  fill();
  const search = (/** @type {any} */ { target }) => {
    app.filter = target.value;
    fill();
  };
  return [
    heading,
    h("p", { class: "lead" }, todayText(app)),
    again(app),
    products.length > MANY &&
      h(
        "div",
        { class: "field narrow" },
        h("label", { for: "filter" }, tr("Search")),
        h("input", { id: "filter", type: "search", autocomplete: "off", value: app.filter, oninput: search }),
      ),
    grid,
  ].filter(Boolean);
}

/** @param {import("../main.js").TerminalApp} app @param {import("../catalogue.js").Product} product */
function button(app, { product, name, unit }) {
  return h(
    "button",
    { class: "product", id: `make-${product}`, onclick: () => app.enter({ product }) },
    h("span", { class: "product-name" }, name),
    h("span", { class: "product-unit" }, `${product} · ${unit}`),
  );
}

/** The reports of goods that count, the newest first. @param {import("../main.js").TerminalApp} app */
function made(app) {
  return app.reports
    .filter(({ record, standing }) => record.kind === "ProductionReported" && standing !== "taken out")
    .reverse();
}

/** @param {import("../main.js").TerminalApp} app */
function todayText(app) {
  const day = app.today;
  const lots = made(app).filter(({ record, standing }) => record.body.made_on === day && standing !== "rejected").length;
  return lots
    ? tr("{lots:lot|lots} recorded here for today, {day}.", { lots, day: dayText(day) })
    : tr("Nothing is recorded here for today, {day}. Tap a product.", { day: dayText(day) });
}

/** The last entry once more, for today. @param {import("../main.js").TerminalApp} app */
function again(app) {
  const last = made(app).find(({ record }) => app.catalogue.products.has(record.body.product))?.record.body;
  if (!last) return null;
  const goods = goodsText(app, /** @type {any} */ (last));
  const enter = () => app.enter({ product: last.product, qty: String(last.qty) });
  return h("button", { id: "again", class: "again", onclick: enter }, tr("Again: {goods}", { goods }));
}

/** @param {import("../main.js").TerminalApp} app @param {import("../catalogue.js").Product[]} products */
function recentFirst(app, products) {
  const codes = [...new Set(made(app).map(({ record }) => record.body.product))];
  const place = (/** @type {import("../catalogue.js").Product} */ { product }) => {
    const index = codes.indexOf(product);
    return index < 0 ? codes.length : index;
  };
  return [...products].sort((one, other) => place(one) - place(other));
}
