/**
 * The bodies of a till's records, exactly as the other tills write them.
 * The order of fields is that of `shared/events/sales.py`, and every field is written.
 */
import { momentText } from "../device/envelope.js";

/** @typedef {{ booth: string, till: string, device: string, seq: number, previous: string | null }} Place */
/** @typedef {{ lot: string | null, product: string, qty: number, unit_price_rupiah: number,
 *   discount_rupiah: number, price_reason: string }} Goods */
/** @typedef {"cash" | "qris" | "other"} PaymentKind */
/** @typedef {{ kind: PaymentKind, reference?: string, given_rupiah?: number | null,
 *   change_rupiah?: number }} Payment */
/** @typedef {import("../device/envelope.js").Draft} Draft */

/** @param {Place} place */
function origin({ booth, till, device, seq, previous }) {
  return { booth, till, device, seq, previous };
}

/** @param {Place} place @param {Date} at @returns {Draft} */
export function deviceIntroduced(place, at) {
  return { kind: "DeviceIntroduced", body: { ...origin(place), introduced_at: momentText(at) } };
}

/** @param {Place} place
 * @param {{ lines: Goods[], discount_rupiah?: number, payment: Payment, drawer: string | null,
 *   price_list: number }} receipt
 * @param {Date} at @returns {Draft} */
export function receiptIssued(place, { lines, discount_rupiah = 0, payment, drawer, price_list }, at) {
  const { kind, reference = "", given_rupiah = null, change_rupiah = 0 } = payment;
  const body = {
    ...origin(place),
    lines: lines.map(({ lot, product, qty, unit_price_rupiah, discount_rupiah, price_reason }, index) => ({
      line: index + 1,
      lot,
      product,
      qty,
      unit_price_rupiah,
      discount_rupiah,
      price_reason,
    })),
    discount_rupiah,
    payment: { kind, reference, given_rupiah, change_rupiah },
    drawer,
    price_list,
    sold_at: momentText(at),
  };
  return { kind: "ReceiptIssued", body };
}

/** @param {Place} place
 * @param {{ receipt: string, lines: { line: number, qty: number }[], refund: PaymentKind, refund_rupiah: number,
 *   drawer: string | null, reason?: string }} made
 * @param {Date} at @returns {Draft} */
export function receiptVoided(place, { receipt, lines, refund, refund_rupiah, drawer, reason = "" }, at) {
  const voided = lines.map(({ line, qty }) => ({ line, qty }));
  const voided_at = momentText(at);
  const body = { ...origin(place), receipt, lines: voided, refund, refund_rupiah, drawer, reason, voided_at };
  return { kind: "ReceiptVoided", body };
}

/** @param {Place} place
 * @param {{ final: boolean, lots: { lot: string, qty: number }[], products: { product: string,
 *   qty: number }[] }} count
 * @param {Date} at @returns {Draft} */
export function boothCounted(place, { final, lots, products }, at) {
  const body = {
    ...origin(place),
    counted_at: momentText(at),
    final,
    lots: lots.map(({ lot, qty }) => ({ lot, qty })),
    products: products.map(({ product, qty }) => ({ product, qty })),
  };
  return { kind: "BoothCounted", body };
}

/** @param {Place} place @param {{ cashier: string, float_rupiah: number }} drawer @param {Date} at
 * @returns {Draft} */
export function drawerOpened(place, { cashier, float_rupiah }, at) {
  return { kind: "DrawerOpened", body: { ...origin(place), cashier, float_rupiah, opened_at: momentText(at) } };
}

/** @param {Place} place @param {{ drawer: string, rupiah: number, reason?: string }} drop @param {Date} at
 * @returns {Draft} */
export function cashDropped(place, { drawer, rupiah, reason = "" }, at) {
  return { kind: "CashDropped", body: { ...origin(place), drawer, rupiah, reason, dropped_at: momentText(at) } };
}

/** @param {Place} place @param {{ drawer: string, counted_rupiah: number, expected_rupiah: number }} count
 * @param {Date} at @returns {Draft} */
export function cashCounted(place, { drawer, counted_rupiah, expected_rupiah }, at) {
  const body = { ...origin(place), drawer, counted_rupiah, expected_rupiah, counted_at: momentText(at) };
  return { kind: "CashCounted", body };
}

/** Stands in the place of a record that was taken out before it was sent.
 * @param {Place} place @param {{ kind: string, rupiah: number, reason?: string }} former @param {Date} at
 * @returns {Draft} */
export function recordTakenOut(place, { kind, rupiah, reason = "" }, at) {
  return { kind: "RecordTakenOut", body: { ...origin(place), kind, rupiah, reason, taken_out_at: momentText(at) } };
}

/** @param {Place} place @param {{ opening: number }} closing @returns {Draft} */
export function tillClosed(place, { opening }) {
  return { kind: "TillClosed", body: { ...origin(place), last_seq: place.seq, opening } };
}
