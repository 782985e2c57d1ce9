/** The basket that a cashier fills, and the receipt that it becomes. Pure. */
import { isWithdrawn, leftOf, pricesAt } from "./booth.js";
import { sum } from "./money.js";

/** @typedef {Map<string, number>} Basket pieces by product */
/** @typedef {import("./booth.js").Booth} Booth */

const MOST_LINES = 100;
const MOST_PIECES = 1_000_000;

/** The basket with `change` pieces more of a product, or fewer. @param {Basket} basket @param {string} product
 * @param {number} change @returns {Basket} */
export function changed(basket, product, change) {
  const pieces = Math.min((basket.get(product) ?? 0) + change, MOST_PIECES);
  const next = new Map(basket);
  if (pieces > 0) {
    if (next.has(product) || next.size < MOST_LINES) next.set(product, pieces);
  } else next.delete(product);
  return next;
}

/** The lines of the basket at the prices of now. Products that are withdrawn or have no price are left out.
 * @param {Basket} basket @param {Booth} booth @param {Date} at */
export function linesOf(basket, booth, at) {
  const { revision, prices } = pricesAt(booth, at);
  const lines = [...basket].filter(([product]) => prices.has(product) && !isWithdrawn(booth, product));
  return {
    price_list: revision,
    lines: lines.map(([product, qty]) => ({
      lot: null,
      product,
      qty,
      unit_price_rupiah: /** @type {number} */ (prices.get(product)),
      discount_rupiah: 0,
      price_reason: "",
    })),
  };
}

/** @param {{ qty: number, unit_price_rupiah: number, discount_rupiah: number }[]} lines */
export function dueOf(lines) {
  return sum(lines.map((line) => line.qty * line.unit_price_rupiah - line.discount_rupiah));
}

/** The products of the basket of which this till sells more than its part, with the pieces that it may still sell.
 * @param {Basket} basket @param {Booth} booth @param {{ lots: Map<string, number>, products: Map<string, number> }} sold */
export function oversold(basket, booth, sold) {
  const rows = [...basket].map(([product, qty]) => ({ product, qty, left: leftOf(booth, product, sold) }));
  return rows.filter(({ qty, left }) => qty > left).map(({ product, left }) => ({ product, left: Math.max(left, 0) }));
}

/** Amounts of cash that a customer may hand over for `due`: the sum itself, and the next round notes.
 * @param {number} due */
export function likelyCash(due) {
  const notes = [1_000, 5_000, 10_000, 20_000, 50_000, 100_000].map((note) => Math.ceil(due / note) * note);
  return [...new Set([due, ...notes])].sort((one, other) => one - other).slice(0, 5);
}
