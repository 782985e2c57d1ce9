/** Goods, records, their standing and what is wrong with them, in the reader's language. */
import { thousands } from "../device/amounts.js";
import { language, tr } from "../device/words.js";
import { shownDay } from "./days.js";

/** @typedef {import("./main.js").TerminalApp} App */
/** @typedef {import("./reports.js").Report} Report */

/** @param {string} day */
export function dayText(day) {
  return shownDay(day, language());
}

/** @param {App} app @param {string} code */
export function nameOf(app, code) {
  return app.catalogue.products.get(code)?.name ?? code;
}

/** `20 helai`, or `20` of a product that is not in the list. @param {App} app @param {string} code
 * @param {number} qty */
export function piecesText(app, code, qty) {
  return `${thousands(qty)} ${app.catalogue.products.get(code)?.unit ?? ""}`.trim();
}

/** `20 × Kain tenun ikat` @param {App} app @param {{ product: string, qty: number }} goods */
export function goodsText(app, { product, qty }) {
  return `${thousands(qty)} × ${nameOf(app, product)}`;
}

/** What a record says. @param {App} app @param {{ kind: string, body: Record<string, any> }} record */
export function recordText(app, { kind, body }) {
  const { lot, change } = body;
  switch (kind) {
    case "DeviceIntroduced":
      return tr("The terminal was set up");
    case "ProductionReported":
      return goodsText(app, { product: body.product, qty: body.qty });
    case "ProductionCorrected":
      return change > 0
        ? tr("{lot}: {more:thousands} more", { lot, more: change })
        : tr("{lot}: {fewer:thousands} fewer", { lot, fewer: -change });
    case "RecallLot":
      return tr("{lot}: recall", { lot });
    case "LiftRecall":
      return tr("{lot}: recall lifted", { lot });
    case "WithdrawReport":
      return tr("{lot}: withdrawn", { lot });
    default:
      return kind;
  }
}

/** @param {Report} report */
export function standingText({ standing, record, lot }) {
  switch (standing) {
    case "accepted":
      return record.kind === "ProductionReported" ? tr("Accepted as lot {lot}", { lot: lot ?? "" }) : tr("Accepted");
    case "rejected":
      return tr("Refused");
    case "not taken":
      return tr("Not taken");
    case "held":
      return tr("Held until an operator decides");
    case "sent":
      return tr("Sent, the answer is to come");
    case "taken out":
      return tr("Taken out");
    default:
      return tr("Kept here, not sent yet");
  }
}

/** The class of a report's badge. @param {Report} report */
export function badgeOf({ standing }) {
  if (standing === "accepted") return "badge badge-received";
  if (standing === "rejected" || standing === "not taken" || standing === "held") return "badge badge-cancelled";
  return standing === "taken out" ? "badge" : "badge badge-sent";
}

/** Why it was refused. @param {import("../device/spool.js").Refusal} refusal */
export function refusalText({ template, values, message }) {
  return template ? tr(template, values ?? {}) : message;
}

/** @param {import("./entries.js").Fault} fault */
export function faultText(fault) {
  switch (fault.why) {
    case "no-number":
      return tr("Write how many pieces, as 20 or 1.250.");
    case "not-positive":
      return tr("The quantity must be at least 1.");
    case "no-day":
      return tr("Write year, month and day, e.g. 2026-04-18.");
    case "in-future":
      return tr("The day of making has not come yet. Please check the date, and the terminal's clock.");
    case "too-old":
      return tr("The day of making is more than 400 days ago. Please check the year.");
    case "before-made":
      return tr("The best-before day is earlier than the day of making.");
    case "retired-facility":
      return tr("{facility} is retired from the catalogue.", { facility: fault.facility });
    case "not-listed":
      return tr("{product} is not on this facility's list.", { product: fault.product });
    case "too-many":
      return tr(
        "More than {most:thousands} ({unit}) of {name} at once looks like a typing error. If it is right, report it in parts.",
        { ...fault },
      );
    case "beyond-shelf-life":
      return tr("{name} keeps for {days} days, until {until}.", { ...fault, until: dayText(fault.until) });
  }
}
