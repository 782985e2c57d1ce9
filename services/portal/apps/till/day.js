/** One day of a till: its receipts and refunds by kind of payment, its voids, and what is not sent. Pure. */
import { rupiahOf } from "./ledger.js";
import { sum } from "./money.js";

/** @typedef {import("../device/spool.js").Recorded} Recorded */
/** @typedef {{ kind: string, receipts: number, net: number | null, refunds: number,
 *   refunded: number | null }} Payments Rupiah are null while an open drawer must be counted blind. */
/** @typedef {{ payments: Payments[], drawers: import("./ledger.js").Drawer[], receipts: number, voids: number,
 *   voidedPieces: number, takenOut: { kind: string, rupiah: number }[], unsent: number }} TillDay */

const KINDS = ["cash", "qris", "other"];

/** The day of a moment at the place, such as `2026-04-18`. @param {string} moment @param {string | null} zone */
export function dayOf(moment, zone) {
  const form = new Intl.DateTimeFormat("en-CA", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    timeZone: zone ?? undefined,
  });
  return form.format(new Date(moment));
}

/** The days that have records, the latest first. @param {Recorded[]} records @param {string | null} zone */
export function daysOf(records, zone) {
  const moments = records.flatMap(({ body }) => momentOf(body) ?? []);
  return [...new Set(moments.map((moment) => dayOf(moment, zone)))].sort().reverse();
}

/** @param {import("../device/envelope.js").Body} body @returns {string | null} */
function momentOf(body) {
  const moment =
    body.sold_at ?? body.voided_at ?? body.taken_out_at ?? body.opened_at ?? body.dropped_at ?? body.counted_at;
  return moment ?? null;
}

/** @param {Recorded[]} records @param {import("./ledger.js").Drawer[]} drawers
 * @param {string | null} day null: all days @param {string | null} zone @returns {TillDay} */
export function tillDay(records, drawers, day, zone) {
  const isThen = (/** @type {string | null} */ moment) => moment !== null && (day === null || dayOf(moment, zone) === day);
  const made = (/** @type {string} */ kind) =>
    records.filter((record) => record.kind === kind && isThen(momentOf(record.body)));
  const [receipts, voids, takenOut] = ["ReceiptIssued", "ReceiptVoided", "RecordTakenOut"].map(made);
  const uncounted = new Set(drawers.filter(({ counted }) => counted === null).map(({ id }) => id));
  return {
    payments: KINDS.map((kind) => paymentsOf(kind, receipts, voids, uncounted)),
    drawers: drawers.filter((drawer) => isThen(drawer.opened_at) || isThen(drawer.counted_at)),
    receipts: receipts.length,
    voids: voids.length,
    voidedPieces: sum(voids.flatMap(({ body }) => body.lines.map((/** @type {{ qty: number }} */ { qty }) => qty))),
    takenOut: takenOut.map(({ body }) => ({ kind: body.kind, rupiah: body.rupiah })),
    unsent: records.filter(({ sent }) => !sent).length,
  };
}

/** @param {string} kind @param {Recorded[]} receipts @param {Recorded[]} voids @param {Set<string>} uncounted
 * @returns {Payments} */
function paymentsOf(kind, receipts, voids, uncounted) {
  const paid = receipts.filter(({ body }) => body.payment.kind === kind);
  const refunds = voids.filter(({ body }) => body.refund === kind);
  // The sums would show the cashier the expected cash.
  const isBlind = kind === "cash" && [...paid, ...refunds].some(({ body }) => uncounted.has(body.drawer));
  const total = (/** @type {Recorded[]} */ some) => sum(some.map(({ kind, body }) => rupiahOf(kind, body)));
  return {
    kind,
    receipts: paid.length,
    net: isBlind ? null : total(paid),
    refunds: refunds.length,
    refunded: isBlind ? null : total(refunds),
  };
}
