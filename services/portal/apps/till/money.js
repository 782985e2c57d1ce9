/** The arithmetic of receipts, in whole rupiah. Pure. */

/** Whole parts of `total` in proportion to `weights`, by largest remainder; of equal remainders the first wins.
 * @param {number} total @param {number[]} weights */
export function apportion(total, weights) {
  if (total === 0) return weights.map(() => 0);
  // Products of two amounts are beyond what numbers keep exact.
  const [sum, whole] = [BigInt(total), weights.reduce((all, weight) => all + BigInt(weight), 0n)];
  const parts = weights.map((weight) => Number((sum * BigInt(weight)) / whole));
  const remainders = weights.map((weight) => (sum * BigInt(weight)) % whole);
  const order = weights.map((_, index) => index);
  // The sort keeps the order of equals.
  order.sort((one, other) => compare(remainders[other], remainders[one]));
  const missing = total - parts.reduce((all, part) => all + part, 0);
  for (const index of order.slice(0, missing)) parts[index] += 1;
  return parts;
}

/** @param {bigint} one @param {bigint} other */
function compare(one, other) {
  return Number(one > other) - Number(one < other);
}

/** Net rupiah of each line of a receipt, after all discounts.
 * @param {{ lines: { qty: number, unit_price_rupiah: number, discount_rupiah: number }[],
 *   discount_rupiah: number }} receipt */
export function netAmounts({ lines, discount_rupiah }) {
  const own = lines.map((line) => line.qty * line.unit_price_rupiah - line.discount_rupiah);
  const parts = apportion(discount_rupiah, own);
  return own.map((amount, index) => amount - parts[index]);
}

/** Rupiah of the first `pieces` of a line of `qty` pieces that cost `net` in all, rounded down.
 * @param {number} net @param {number} qty @param {number} pieces */
export function valueOf(net, qty, pieces) {
  return Number((BigInt(net) * BigInt(pieces)) / BigInt(qty));
}

/** @param {number[]} amounts */
export function sum(amounts) {
  return amounts.reduce((all, amount) => all + amount, 0);
}
