/** What sales has of the devices of a till's name, beside what this browser has. */

/** @typedef {[number, number]} Range numbers from the first to the last */
/** @typedef {{ till: string, device: string, last: number, missing: Range[], struck: boolean }} Arrived
 *   `last`: the highest number that has arrived. `missing`: those that have not. */

/** What has arrived of each device of the booth. Raises Unreachable and Declined.
 * @param {import("../device/session.js").DeviceSession} session @param {string} booth @returns {Promise<Arrived[]>} */
export async function arrivedAt(session, booth) {
  return (await session.ask(`/sales/booths/${encodeURIComponent(booth)}/devices`)).content;
}

/** The numbers up to `number` that have not arrived. @param {Arrived | undefined} arrived @param {number} number
 * @returns {Range[]} */
export function neverArrived(arrived, number) {
  const { last, missing } = arrived ?? { last: 0, missing: [] };
  /** @type {Range[]} */
  const gaps = missing.filter(([first]) => first < last && first <= number);
  return last < number ? [...gaps, [last + 1, number]] : gaps;
}

/** @param {Range[]} ranges */
export function countOf(ranges) {
  return ranges.reduce((count, [first, last]) => count + last - first + 1, 0);
}

/** @param {Range[]} ranges */
export function numbersOf(ranges) {
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(", ");
}
