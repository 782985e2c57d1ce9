/** The basket that a cashier fills, and the receipt that it becomes. Pure. */
import { isWithdrawn, leftOf, leftOfLot, pricesAt } from "./booth.js";
import { parseLot } from "../device/lot.js";
import { sum } from "./money.js";

/** @typedef {Map<string, number>} Basket pieces by item: a product's code, or the number of a lot */
/** @typedef {import("./booth.js").Booth} Booth */
/** @typedef {{ lots: Map<string, number>, products: Map<string, number> }} Sold */

const MOST_LINES = 100;
const MOST_PIECES = 1_000_000;
const PRODUCT_CODE = /^[A-Z]{3}$/;

/** The lot (null without a label) and the product of an item, typed or scanned; null if it is neither.
 * @param {string} text @returns {{ item: string, lot: string | null, product: string } | null} */
export function itemOf(text) {
  const code = text.trim().toUpperCase();
  if (PRODUCT_CODE.test(code)) return { item: code, lot: null, product: code };
  const lot = parseLot(text);
  return lot && { item: lot.id, lot: lot.id, product: lot.product };
}

/** The basket with `change` pieces more of an item, or fewer. @param {Basket} basket @param {string} item
 * @param {number} change @returns {Basket} */
export function changed(basket, item, change) {
  const pieces = Math.min((basket.get(item) ?? 0) + change, MOST_PIECES);
  const next = new Map(basket);
  if (pieces > 0) {
    if (next.has(item) || next.size < MOST_LINES) next.set(item, pieces);
  } else next.delete(item);
  return next;
}

/** The pieces of a product in the basket, with and without a label. @param {Basket} basket @param {string} product */
export function piecesOf(basket, product) {
  return sum([...basket].map(([item, qty]) => (itemOf(item)?.product === product ? qty : 0)));
}

/** Why an item can't be sold now; null if it can. @param {string} text @param {Booth} booth @param {Date} at
 * @returns {"unknown" | "no-price" | "withdrawn" | null} */
export function faultOf(text, booth, at) {
  const found = itemOf(text);
  if (!found) return "unknown";
  if (!pricesAt(booth, at).prices.has(found.product)) return "no-price";
  return isRecalled(found, booth) ? "withdrawn" : null;
}

/** Whether the lot is withdrawn, or all lots of goods without a label are.
 * @param {{ lot: string | null, product: string }} goods @param {Booth} booth */
export function isRecalled({ lot, product }, booth) {
  return lot === null ? isWithdrawn(booth, product) : booth.withdrawn.has(lot);
}

/** The items that are left out of the lines. @param {Basket} basket @param {Booth} booth @param {Date} at */
export function leftOut(basket, booth, at) {
  return [...basket.keys()].flatMap((item) => {
    const fault = faultOf(item, booth, at);
    return fault ? [{ item, fault }] : [];
  });
}

/** The lines of the basket at the prices of now. What can't be sold is left out: a recall may have come meanwhile.
 * @param {Basket} basket @param {Booth} booth @param {Date} at */
export function linesOf(basket, booth, at) {
  const { revision, prices } = pricesAt(booth, at);
  const lines = [...basket].flatMap(([item, qty]) => {
    const found = itemOf(item);
    if (!found || faultOf(item, booth, at)) return [];
    const { lot, product } = found;
    const unit_price_rupiah = /** @type {number} */ (prices.get(product));
    return [{ lot, product, qty, unit_price_rupiah, discount_rupiah: 0, price_reason: "" }];
  });
  return { price_list: revision, lines };
}

/** @param {{ qty: number, unit_price_rupiah: number, discount_rupiah: number }[]} lines */
export function dueOf(lines) {
  return sum(lines.map((line) => line.qty * line.unit_price_rupiah - line.discount_rupiah));
}

/** What may be disputed of a receipt: lots that are not known here (`left` null), and items of which this till sells
 * more than its part, with the pieces that it may still sell.
 * @param {{ lot: string | null, product: string, qty: number }[]} lines @param {Booth} booth @param {Sold} sold
 * @returns {{ item: string, left: number | null }[]} */
export function oversold(lines, booth, sold) {
  /** @type {Map<string, number>} */
  const here = new Map();
  const add = (/** @type {string} */ name, /** @type {number} */ qty) => {
    here.set(name, (here.get(name) ?? 0) + qty);
    return /** @type {number} */ (here.get(name));
  };
  /** @type {(line: { lot: string | null, product: string, qty: number }) =>
   *   { item: string, left: number | null }[]} */
  const doubtsOf = ({ lot, product, qty }) => {
    const ofProduct = leftOf(booth, product, sold) - add(product, qty);
    if (lot === null) return ofProduct < 0 ? [{ item: product, left: Math.max(ofProduct + qty, 0) }] : [];
    if (!booth.lots.has(lot)) return [{ item: lot, left: null }];
    const left = Math.min(ofProduct, leftOfLot(booth, lot, sold) - add(lot, qty));
    return left < 0 ? [{ item: lot, left: Math.max(left + qty, 0) }] : [];
  };
  return lines.flatMap(doubtsOf);
}

/** Amounts of cash that a customer may hand over for `due`: the sum itself, and the next round notes.
 * @param {number} due */
export function likelyCash(due) {
  const notes = [1_000, 5_000, 10_000, 20_000, 50_000, 100_000].map((note) => Math.ceil(due / note) * note);
  return [...new Set([due, ...notes])].sort((one, other) => one - other).slice(0, 5);
}
