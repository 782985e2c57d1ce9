/** Whole numbers as Indonesians type them: `1250` and `1.250`. What can mean two numbers is none. */

const WHOLE = /^(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)$/;

/** The number from 0 on that was typed, or null. @param {string} text @returns {number | null} */
export function typedWhole(text) {
  const digits = text.trim();
  if (!WHOLE.test(digits)) return null;
  const number = Number(digits.replaceAll(".", ""));
  return Number.isSafeInteger(number) ? number : null;
}
