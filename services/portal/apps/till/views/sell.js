import { changed, dueOf, linesOf, oversold } from "../basket.js";
import { isWithdrawn, leftOf, pricesAt } from "../booth.js";
import { h, notice } from "../dom.js";
import { nameOf } from "../main.js";
import { rupiah, thousands } from "../money.js";
import { tr } from "../words.js";

/** Products as buttons, and the basket. @param {import("../main.js").App} app */
export function sellView(app) {
  const { prices } = pricesAt(app.booth, new Date());
  if (!prices.size)
    return [
      h("h1", {}, tr("Sell")),
      h("div", { class: "empty" }, h("p", { class: "empty-title" }, tr("No price list yet")), h("p", {}, tr("It comes with the first sync, once the booth is open."))),
    ];
  if (app.isClosed)
    return [h("h1", {}, tr("This till is closed.")), h("p", { class: "lead" }, tr("If the booth is reopened, it sells on after a sync."))];
  const change = (/** @type {string} */ product, /** @type {number} */ by) => () => {
    app.basket = changed(app.basket, product, by);
    app.notice = null;
    app.render();
  };
  const goods = [...prices].map(([product, price]) => {
    const left = leftOf(app.booth, product, app.sold) - (app.basket.get(product) ?? 0);
    const withdrawn = isWithdrawn(app.booth, product);
    const [some, none] = [tr("{left:thousands} left", { left }), tr("none left by the list")];
    const stock = withdrawn ? tr("withdrawn: do not sell") : left > 0 ? some : none;
    return h(
      "button",
      { id: `sell-${product}`, class: "goods", disabled: withdrawn, onclick: change(product, 1) },
      h("span", { class: "goods-name" }, nameOf(app, product)),
      h("span", { class: "goods-price" }, rupiah(price)),
      h("span", { class: `goods-left ${left > 0 && !withdrawn ? "" : "low"}` }, stock),
    );
  });
  const { lines } = linesOf(app.basket, app.booth, new Date());
  return [
    h("h1", { class: "visually-hidden" }, tr("Sell")),
    !app.drawer && notice("warn", h("p", {}, tr("No drawer is open: cash of sales is in nobody's count."))),
    h("div", { class: "goods-grid" }, goods),
    h(
      "section",
      { class: "basket", "aria-label": tr("Basket") },
      lines.length
        ? h(
            "ul",
            {},
            lines.map(({ product, qty, unit_price_rupiah }) =>
              h(
                "li",
                {},
                h("span", { class: "basket-name" }, nameOf(app, product)),
                h("button", { id: `less-${product}`, "aria-label": tr("One {product} less", { product: nameOf(app, product) }), onclick: change(product, -1) }, "−"),
                h("output", { class: "basket-qty" }, thousands(qty)),
                h("button", { id: `more-${product}`, "aria-label": tr("One {product} more", { product: nameOf(app, product) }), onclick: change(product, 1) }, "+"),
                h("span", { class: "number" }, rupiah(qty * unit_price_rupiah)),
              ),
            ),
          )
        : h("p", { class: "muted" }, tr("The basket is empty. Tap what is sold.")),
      oversold(app.basket, app.booth, app.sold).map(({ product, left }) =>
        h("p", { class: "error" }, tr("This till's part allows {left:thousands} of {product}. The sale is kept, but may be disputed.", { left, product: nameOf(app, product) })),
      ),
      h(
        "button",
        { id: "pay", class: "primary pay", disabled: !lines.length, onclick: () => app.show("pay") },
        lines.length ? tr("Pay {due:rupiah}", { due: dueOf(lines) }) : tr("Pay"),
      ),
    ),
  ].filter(Boolean);
}
