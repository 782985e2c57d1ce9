/** Days as `2026-11-30`, without times and zones. */

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const MILLISECONDS = 86_400_000;

/** The day at `moment` in a zone; in that of this device if null. @param {Date} moment @param {string | null} zone */
export function dayIn(moment, zone) {
  const form = { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone ?? undefined };
  const parts = new Intl.DateTimeFormat("en-GB", /** @type {Intl.DateTimeFormatOptions} */ (form)).formatToParts(moment);
  const part = (/** @type {string} */ name) => parts.find(({ type }) => type === name)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** Whether the text is a day that there is. @param {string} text */
export function isDay(text) {
  const match = DAY.exec(text);
  if (!match) return false;
  const [year, month, day] = match.slice(1).map(Number);
  const moment = new Date(Date.UTC(year, month - 1, day));
  // A day that a month does not have lies in another month.
  return year >= 1970 && year <= 2099 && moment.getUTCMonth() === month - 1 && moment.getUTCDate() === day;
}

/** @param {string} day @param {number} count */
export function addDays(day, count) {
  return new Date(Date.parse(day) + count * MILLISECONDS).toISOString().slice(0, 10);
}

/** `30 Nov 2026` in the reader's language. @param {string} day @param {"id" | "en"} language */
export function shownDay(day, language) {
  const form = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
  const locale = language === "id" ? "id-ID" : "en-GB";
  return new Intl.DateTimeFormat(locale, /** @type {Intl.DateTimeFormatOptions} */ (form)).format(new Date(day));
}
