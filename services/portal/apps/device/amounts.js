/** Rupiah and counts as people write and type them. Whole numbers alone. */

const AMOUNT = /^\d{1,3}(?:[.,]\d{3})+$|^\d+$/;
export const MOST_RUPIAH = 1_000_000_000_000;

/** `1.250.000` @param {number} count */
export function thousands(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ".");
}

/** `Rp1.250.000`, below zero `-Rp1.250` @param {number} amount */
export function rupiah(amount) {
  return `${amount < 0 ? "-" : ""}Rp${thousands(Math.abs(amount))}`;
}

/** The amount that was typed, as `25000`, `25.000` or `Rp 25.000`; null if it is none. @param {string} text */
export function typedRupiah(text) {
  const digits = text.trim().replace(/^rp\s*/i, "");
  if (!AMOUNT.test(digits)) return null;
  const amount = Number(digits.replace(/[.,]/g, ""));
  return amount <= MOST_RUPIAH ? amount : null;
}
