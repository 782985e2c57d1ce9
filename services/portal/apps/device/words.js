/** Texts in the reader's language. The English text is the key, as in the catalogue that the JSON is made from. */
import { rupiah, thousands } from "./amounts.js";

/** @typedef {"id" | "en"} Language */
/** @typedef {Record<string, string | number>} Values */

const KEPT = "karya-language";
/** @type {Record<string, string>} */
let indonesian = {};
/** @type {Language} */
let chosen = "id";

/** Read the texts, and choose the language: the one chosen before, else the browser's, else Indonesian. */
export async function loadWords() {
  indonesian = await (await fetch("words.json")).json();
  useLanguage(localStorage.getItem(KEPT) ?? (navigator.language.startsWith("en") ? "en" : "id"));
}

/** @returns {Language} */
export function language() {
  return chosen;
}

/** @param {string} code */
export function useLanguage(code) {
  chosen = code === "en" ? "en" : "id";
  document.documentElement.lang = chosen;
}

/** @param {Language} code */
export function keepLanguage(code) {
  useLanguage(code);
  localStorage.setItem(KEPT, code);
}

/** The text in the reader's language, with its values. A field may have a format: `{sum:rupiah}`,
 * `{count:thousands}`, `{count:record|records}`. @param {string} template @param {Values} [values] */
export function tr(template, values = {}) {
  const text = chosen === "en" ? template : (indonesian[template] ?? template);
  return text.replace(/\{(\w+)(?::([^}]*))?\}/g, (_, name, format) => shown(values[name], format));
}

/** @param {string | number | undefined} value @param {string | undefined} format */
function shown(value, format) {
  if (value === undefined) return "";
  if (typeof value === "string" || !format) return String(value);
  if (format === "rupiah") return rupiah(value);
  if (format === "thousands") return thousands(value);
  const [one, many] = format.split("|");
  return `${thousands(value)} ${value === 1 ? one : many}`;
}
