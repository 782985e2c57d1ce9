import { field, h, notice, once } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { lotsOf, pricesAt } from "../booth.js";
import { nameOf } from "../shown.js";
import { CASHIER, countCashForm, countOf, value } from "./cash.js";
import { closedView } from "./closed.js";

/** The drawer, the final count of goods, and the closing. @param {import("../main.js").App} app */
export function closeView(app) {
  if (app.isClosed) return closedView(app);
  const count = app.unsent.length;
  const counted = app.records.some(({ kind, body }) => kind === "BoothCounted" && body.final);
  return [
    h("h1", {}, tr("Closing")),
    h("p", { class: "lead" }, tr("After the last sale of the festival: the drawer, the goods, then the till.")),
    h("h2", {}, tr("1. Count the drawer")),
    ...drawerStep(app),
    h("h2", {}, tr("2. Count the goods")),
    counted && h("p", { class: "muted" }, tr("A final count is kept. A later one replaces it.")),
    countForm(app),
    h("h2", {}, tr("3. Close the till")),
    count
      ? notice(
          "warn",
          h(
            "p",
            {},
            tr("{count:record is|records are} not sent. Wait for the connection, or say why you close without it.", {
              count,
            }),
          ),
          h("button", { id: "sync-now", onclick: () => void app.sync() }, tr("Send now")),
        )
      : null,
    closeForm(app),
  ].filter(Boolean);
}

/** Its cash is counted before the goods: the count is blind, and the cashier who has it is still there.
 * @param {import("../main.js").App} app */
function drawerStep(app) {
  const { drawer } = app;
  const last = app.drawers.at(-1);
  if (drawer) {
    const { cashier } = drawer;
    const text = tr("{cashier} has the drawer. It is not counted yet.", { cashier });
    return [notice("warn", h("p", {}, text)), ...countCashForm(app)];
  }
  return last ? [countOf(last)] : [h("p", { class: "muted" }, tr("No drawer was opened here."))];
}

/** Pieces without a label by product, and those with one by lot. @param {import("../main.js").App} app */
function countForm(app) {
  const products = [...pricesAt(app.booth, new Date()).prices.keys()];
  const lots = products.flatMap((product) => lotsOf(app.booth, product));
  const filled = (/** @type {string[]} */ names) =>
    names
      .map((name) => {
        const { value } = /** @type {HTMLInputElement} */ (document.getElementById(`count-${name}`));
        return { name, text: value.trim() };
      })
      .filter(({ text }) => text !== "");
  const keep = (/** @type {boolean} */ final) => async () => {
    const [ofProducts, ofLots] = [filled(products), filled(lots.map(({ id }) => id))];
    const all = [...ofProducts, ...ofLots];
    if (!all.length) return app.failed(tr("Nothing was counted. Write 0 for none."));
    if (!all.every(({ text }) => /^\d{1,7}$/.test(text))) return app.failed(tr("Pieces are whole numbers."));
    const count = {
      final,
      lots: ofLots.map(({ name, text }) => ({ lot: name, qty: Number(text) })),
      products: ofProducts.map(({ name, text }) => ({ product: name, qty: Number(text) })),
    };
    const text = final ? tr("The count is kept.") : tr("The interim count is kept. It is for information.");
    if (await app.record(() => app.till.count(count))) app.show("close", { kind: "good", text });
  };
  return h(
    "form",
    { class: "stack", onsubmit: once(keep(true)) },
    products.map((product) =>
      h(
        "fieldset",
        { class: "count" },
        h("legend", {}, nameOf(app, product)),
        lots
          .filter((lot) => lot.product === product)
          .map(({ id }) => field(id, { id: `count-${id}`, inputmode: "numeric", maxlength: 7 })),
        field(tr("Without a label"), { id: `count-${product}`, inputmode: "numeric", maxlength: 7 }),
      ),
    ),
    h(
      "div",
      { class: "actions" },
      h("button", { id: "keep-count" }, tr("Keep the final count")),
      h("button", { type: "button", id: "keep-interim", onclick: once(keep(false)) }, tr("Keep an interim count")),
    ),
  );
}

/** @param {import("../main.js").App} app */
function closeForm(app) {
  const close = once(async () => {
    // Read again: a record may have been kept in another tab.
    await app.refresh();
    const input = /** @type {HTMLInputElement | null} */ (document.getElementById("close-reason"));
    const [reason, by] = [input?.value.trim() ?? "", value("close-cashier")];
    if (!CASHIER.test(by)) return app.failed(tr("Write a number for the cashier, such as P1, and no name."));
    if (app.unsent.length && !reason)
      return app.failed(tr("Records are not sent. Say why you close without sending them."));
    if (await app.record(() => app.till.close(app.booth.opening, by, reason))) app.show("close");
  });
  return h(
    "form",
    { class: "stack narrow", onsubmit: close },
    field(
      tr("Who closes the till"),
      { id: "close-cashier", value: app.drawers.at(-1)?.cashier ?? "", required: true, maxlength: 120 },
      tr("A number that only the booth can read, such as P1. No name."),
    ),
    app.unsent.length ? field(tr("Reason"), { id: "close-reason", maxlength: 200 }) : null,
    h("button", { class: "danger", id: "close" }, tr("Close the till")),
  );
}
