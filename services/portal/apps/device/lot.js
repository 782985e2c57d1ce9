/** Lot numbers as labels have them, and the reading of typed and scanned ones. */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BARE = /^([A-Z]{5})([A-Z]{3})(\d{6})(\d{3,6})([0-9A-Z])$/;
const SEPARATORS = /[\s\-‐‑–—_.]+/g;
/** @type {Record<string, string>} */
const LETTERS = { 0: "O", 1: "I" };
/** @type {Record<string, string>} */
const DIGITS = { O: "0", I: "1", L: "1" };

/** The lot's id and its product, or null if at least one character is wrong. Case, dashes and spaces do not matter.
 * @param {string} typed @returns {{ id: string, product: string } | null} */
export function parseLot(typed) {
  const bare = typed.replace(SEPARATORS, "").toUpperCase();
  const read =
    bare.slice(0, 8).replace(/[01]/g, (letter) => LETTERS[letter]) +
    bare.slice(8, -1).replace(/[OIL]/g, (digit) => DIGITS[digit]) +
    bare.slice(Math.max(8, bare.length - 1));
  const match = BARE.exec(read);
  if (!match) return null;
  const [, facility, product, day, counter, check] = match;
  if (check !== checkCharacter(facility + product + day + counter)) return null;
  if (Number(counter) === 0 || (counter.length > 3 && counter.startsWith("0"))) return null;
  if (!isDay(day)) return null;
  return { id: `${facility.slice(0, 2)}-${facility.slice(2)}-${product}-${day}-${counter}-${check}`, product };
}

/** What is on a label: the lot number, typed or scanned, or the address of the lot's page in its QR code.
 * @param {string} text */
export function labelOf(text) {
  return text.slice(text.lastIndexOf("/") + 1).trim();
}

/** @param {string} day yymmdd, of this century */
function isDay(day) {
  const [year, month, date] = [2000 + Number(day.slice(0, 2)), Number(day.slice(2, 4)), Number(day.slice(4))];
  // A day that a month does not have lies in another month.
  return new Date(Date.UTC(year, month - 1, date)).getUTCMonth() === month - 1;
}

/** The check character by ISO/IEC 7064:2003, MOD 37,36. @param {string} bare */
function checkCharacter(bare) {
  let product = 36;
  for (const character of bare) product = (((product + ALPHABET.indexOf(character)) % 36 || 36) * 2) % 37;
  return ALPHABET[(37 - product) % 36];
}
