/** What records of tills and terminals have in common: times, bytes and types, as other devices write them. */
import { utf8 } from "./encoding.js";

/** @typedef {Record<string, any>} Body */
/** @typedef {{ kind: string, body: Body }} Draft */

export const VERSION = "v1";
const FIRST_YEAR = 1970;
const LAST_YEAR = 2099;

/** A moment in the body of a record. @param {Date} at */
export function momentText(at) {
  const text = checked(at).toISOString();
  return at.getUTCMilliseconds() ? text.replace("Z", "000Z") : text.replace(".000Z", "Z");
}

/** The time of a record as a CloudEvent. @param {Date} at */
export function recordTime(at) {
  return checked(at).toISOString();
}

/** @param {Date} at */
function checked(at) {
  const year = at.getUTCFullYear();
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR)) throw new RangeError("the clock is outside the years 1970 to 2099");
  return at;
}

/** @param {Body} body @returns {Uint8Array<ArrayBuffer>} */
export function encode(body) {
  return utf8(JSON.stringify(body));
}

/** @param {string} kind */
export function eventType(kind) {
  return `${kind}.${VERSION}`;
}
