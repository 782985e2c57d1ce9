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

/** What a record says. @param {import("./main.js").App} app
 * @param {{ kind: string, body: Record<string, any> }} record */
export function recordText(app, { kind, body }) {
  switch (kind) {
    case "DeviceIntroduced":
      return tr("The till was set up");
    case "ReceiptIssued":
      return body.lines
        .map((/** @type {{ qty: number, product: string }} */ line) => `${line.qty} × ${nameOf(app, line.product)}`)
        .join(", ");
    case "ReceiptVoided":
      return tr("Void, {amount:rupiah} paid back", { amount: body.refund_rupiah });
    case "BoothCounted":
      return tr("Count of the goods");
    case "DrawerOpened":
      return tr("{cashier} took the drawer", { cashier: body.cashier });
    case "CashDropped":
      return tr("{amount:rupiah} out of the drawer", { amount: body.rupiah });
    case "CashCounted":
      return tr("Drawer counted, {amount:rupiah}", { amount: body.counted_rupiah });
    case "RecordTakenOut":
      return tr("Taken out");
    case "TillClosed":
      return tr("The till was closed");
    default:
      return kind;
  }
}
