import { field, h, notice, once } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { pricesAt } from "../booth.js";
import { nameOf } from "../shown.js";

/** The final count of goods, and the closing. @param {import("../main.js").App} app */
export function closeView(app) {
  if (app.isClosed) {
    const { note } = app.stored[app.stored.length - 1];
    return [
      h("h1", {}, tr("This till is closed.")),
      h("p", { class: "lead" }, tr("If the booth is reopened, it sells on after a sync.")),
      note && h("p", {}, tr("It was closed before all records were sent: {why}", { why: note })),
    ].filter(Boolean);
  }
  const count = app.unsent.length;
  const cashier = app.drawer?.cashier;
  const counted = app.records.some(({ kind, body }) => kind === "BoothCounted" && body.final);
  return [
    h("h1", {}, tr("Closing")),
    h("p", { class: "lead" }, tr("After the last sale of the festival: count the goods, then close the till.")),
    cashier && notice("warn", h("p", {}, tr("{cashier} has the drawer. It is not counted yet.", { cashier }))),
    h("h2", {}, tr("1. Count the goods")),
    counted && h("p", { class: "muted" }, tr("A final count is kept. A later one replaces it.")),
    countForm(app),
    h("h2", {}, tr("2. Close the till")),
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

/** @param {import("../main.js").App} app */
function countForm(app) {
  const products = [...pricesAt(app.booth, new Date()).prices.keys()];
  const input = (/** @type {string} */ product) => {
    const { value } = /** @type {HTMLInputElement} */ (document.getElementById(`count-${product}`));
    return value.trim();
  };
  const keep = once(async () => {
    const filled = products.map((product) => ({ product, text: input(product) })).filter(({ text }) => text !== "");
    if (!filled.length) return app.failed(tr("Nothing was counted. Write 0 for none."));
    if (!filled.every(({ text }) => /^\d{1,7}$/.test(text))) return app.failed(tr("Pieces are whole numbers."));
    const goods = filled.map(({ product, text }) => ({ product, qty: Number(text) }));
    if (await app.record(() => app.till.count({ final: true, lots: [], products: goods })))
      app.show("close", { kind: "good", text: tr("The count is kept.") });
  });
  return h(
    "form",
    { class: "stack", onsubmit: keep },
    h(
      "div",
      { class: "grid" },
      products.map((product) => field(nameOf(app, product), { id: `count-${product}`, inputmode: "numeric" })),
    ),
    h("button", { id: "keep-count" }, tr("Keep the count")),
  );
}

/** @param {import("../main.js").App} app */
function closeForm(app) {
  const close = once(async () => {
    // Read again: a record may have been kept in another tab.
    await app.refresh();
    const input = /** @type {HTMLInputElement | null} */ (document.getElementById("close-reason"));
    const reason = input?.value.trim() ?? "";
    if (app.unsent.length && !reason)
      return app.failed(tr("Records are not sent. Say why you close without sending them."));
    if (await app.record(() => app.till.close(app.booth.opening, reason))) app.show("close");
  });
  return h(
    "form",
    { class: "stack narrow", onsubmit: close },
    app.unsent.length ? field(tr("Reason"), { id: "close-reason", maxlength: 200 }) : null,
    h("button", { class: "danger", id: "close" }, tr("Close the till")),
  );
}
