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

/** Why an item can't be sold. @param {"unknown" | "no-price" | "withdrawn"} fault @param {string} item */
export function faultText(fault, item) {
  switch (fault) {
    case "unknown":
      return tr("{item} is no label: a character is missing or wrong.", { item });
    case "no-price":
      return tr("The booth's list has no price of {item}.", { item });
    case "withdrawn":
      return tr("{item} was withdrawn: set it aside, and do not sell it.", { item });
  }
}

/** @param {import("./main.js").App} app @param {string} product */
export function nameOf(app, product) {
  return app.booth.names.get(product) ?? product;
}
