import { rupiah, thousands } from "../../device/amounts.js";
import { canScan } from "../../device/camera.js";
import { h, notice } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { changed, dueOf, itemOf, leftOut, linesOf, oversold, piecesOf } from "../basket.js";
import { isWithdrawn, leftOf, pricesAt } from "../booth.js";
import { faultText, nameOf } from "../shown.js";

/** Products as buttons, labels, and the basket. @param {import("../main.js").App} app */
export function sellView(app) {
  const { prices } = pricesAt(app.booth, new Date());
  if (!prices.size)
    return [
      h("h1", {}, tr("Sell")),
      h(
        "div",
        { class: "empty" },
        h("p", { class: "empty-title" }, tr("No price list yet")),
        h("p", {}, tr("It comes with the first sync, once the booth is open.")),
      ),
    ];
  if (app.isClosed)
    return [
      h("h1", {}, tr("This till is closed.")),
      h("p", { class: "lead" }, tr("If the booth is reopened, it sells on after a sync.")),
    ];
  return [
    h("h1", { class: "visually-hidden" }, tr("Sell")),
    !app.drawer &&
      notice(
        "warn",
        h("p", {}, tr("No drawer is open: cash of sales is in nobody's count.")),
        h("button", { id: "take-drawer", onclick: () => app.show("cash") }, tr("Take the drawer")),
      ),
    h(
      "div",
      { class: "goods-grid" },
      [...prices].map(([product, price]) => goods(app, product, price)),
    ),
    labelForm(app),
    basketOf(app),
  ].filter(Boolean);
}

/** @param {import("../main.js").App} app @param {string} item @param {number} change */
function put(app, item, change) {
  app.basket = changed(app.basket, item, change);
  app.notice = null;
  app.render(true);
}

/** @param {import("../main.js").App} app @param {string} product @param {number} price */
function goods(app, product, price) {
  const left = leftOf(app.booth, product, app.sold) - piecesOf(app.basket, product);
  const withdrawn = isWithdrawn(app.booth, product);
  const some = left > 0 ? tr("{left:thousands} left", { left }) : tr("none left by the list");
  const stock = withdrawn ? tr("withdrawn: do not sell") : some;
  return h(
    "button",
    { id: `sell-${product}`, class: "goods", disabled: withdrawn, onclick: () => put(app, product, 1) },
    h("span", { class: "goods-name" }, nameOf(app, product)),
    h("span", { class: "goods-price" }, rupiah(price)),
    h("span", { class: `goods-left ${left > 0 && !withdrawn ? "" : "low"}` }, stock),
  );
}

/** A scanner types a label and Enter, again and again. @param {import("../main.js").App} app */
function labelForm(app) {
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (document.getElementById("label"));
    if (input.value.trim()) app.scanned(input.value);
  };
  return h(
    "form",
    { class: "label-form", onsubmit: add },
    h("label", { for: "label" }, tr("Label")),
    h("input", { id: "label", autocomplete: "off", autocapitalize: "characters", maxlength: 200 }),
    h("button", { id: "add-label" }, tr("Add")),
    canScan() && h("button", { type: "button", id: "scan", onclick: () => void app.scan() }, tr("Camera")),
  );
}

/** @param {import("../main.js").App} app */
function basketOf(app) {
  const { lines } = linesOf(app.basket, app.booth, new Date());
  const rows = lines.map(({ lot, product, qty, unit_price_rupiah }) => {
    const item = lot ?? product;
    const name = nameOf(app, product);
    const step = (/** @type {string} */ id, /** @type {string} */ label, /** @type {string} */ sign, by = 1) =>
      h("button", { id: `${id}-${item}`, "aria-label": label, onclick: () => put(app, item, by) }, sign);
    return h(
      "li",
      {},
      h("span", { class: "basket-name" }, name, lot && h("code", {}, ` ${lot}`)),
      step("less", tr("One {product} less", { product: name }), "−", -1),
      h("output", { class: "basket-qty" }, thousands(qty)),
      step("more", tr("One {product} more", { product: name }), "+"),
      h("span", { class: "number" }, rupiah(qty * unit_price_rupiah)),
    );
  });
  const doubts = oversold(lines, app.booth, app.sold).map(({ item, left }) => {
    const product = itemOf(item)?.lot ? item : nameOf(app, item);
    const text =
      left === null
        ? tr("{product} is not known to be at this booth. The sale may be disputed.", { product })
        : tr("This till's part allows {left:thousands} of {product}. The sale is kept, but may be disputed.", {
            left,
            product,
          });
    return h("p", { class: "error" }, text);
  });
  return h(
    "section",
    { class: "basket", "aria-label": tr("Basket") },
    rows.length ? h("ul", {}, rows) : h("p", { class: "muted" }, tr("The basket is empty. Tap what is sold.")),
    // A recall came, or another price list: without a word the customer would leave with what is not paid.
    leftOut(app.basket, app.booth, new Date()).map(({ item, fault }) => unsaleable(app, item, fault)),
    doubts,
    h(
      "button",
      { id: "pay", class: "primary pay", disabled: !rows.length, onclick: () => app.show("pay") },
      rows.length ? tr("Pay {due:rupiah}", { due: dueOf(lines) }) : tr("Pay"),
    ),
  );
}

/** @param {import("../main.js").App} app @param {string} item @param {Parameters<typeof faultText>[0]} fault */
function unsaleable(app, item, fault) {
  const name = itemOf(item)?.lot ? item : nameOf(app, item);
  const takeOut = () => put(app, item, -(app.basket.get(item) ?? 0));
  return notice(
    "bad",
    h("p", {}, faultText(fault, name)),
    h("button", { id: `out-${item}`, onclick: takeOut }, tr("Take out")),
  );
}
