/** Names as a cashier reads them. */
import { tr } from "../device/words.js";

/** @param {string} payment its kind */
export function kindOf(payment) {
  const kinds = /** @type {Record<string, string>} */ ({
    cash: tr("Cash"),
    qris: tr("QRIS, seen"),
    other: tr("Other"),
  });
  return kinds[payment];
}

/** @param {import("./main.js").App} app @param {string} product */
export function nameOf(app, product) {
  return app.booth.names.get(product) ?? product;
}
