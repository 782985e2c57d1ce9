/**
 * The records of a terminal: their bodies, exactly as the other terminals write them.
 * The order of fields is that of `shared/events/production.py`, and every field is written.
 */

/** @typedef {{ scope: string, name: string }} Origin the facility, and the terminal's name there */
/** @typedef {import("../device/envelope.js").Draft} Draft */
/** @typedef {{ product: string, qty: number, made_on: string, best_before: string | null }} Goods
 *   `best_before`: null lets production work it out of the shelf life. */

/** @param {Origin} place */
function origin({ scope, name }) {
  return { facility: scope, terminal: name };
}

/** A new lot. `maker` is a keyed pseudonym, which a browser has no key for.
 * @param {Origin} place @param {Goods & { maker?: string | null }} goods @returns {Draft} */
export function productionReported(place, { product, qty, made_on, best_before, maker = null }) {
  return { kind: "ProductionReported", body: { ...origin(place), product, qty, made_on, best_before, maker } };
}

/** The lot holds `change` pieces more, or fewer if negative.
 * @param {Origin} place @param {{ lot: string, change: number, reason?: string }} given @returns {Draft} */
export function productionCorrected(place, { lot, change, reason = "" }) {
  return { kind: "ProductionCorrected", body: { ...origin(place), lot, change, reason } };
}

/** @typedef {{ lot: string, reason?: string }} AboutLot */

/** @param {Origin} place @param {AboutLot} given @returns {Draft} */
export function recallLot(place, { lot, reason = "" }) {
  return { kind: "RecallLot", body: { ...origin(place), lot, reason } };
}

/** @param {Origin} place @param {AboutLot} given `reason` says why, and is not empty @returns {Draft} */
export function liftRecall(place, { lot, reason = "" }) {
  return { kind: "LiftRecall", body: { ...origin(place), lot, reason } };
}

/** @param {Origin} place @param {AboutLot} given @returns {Draft} */
export function withdrawReport(place, { lot, reason = "" }) {
  return { kind: "WithdrawReport", body: { ...origin(place), lot, reason } };
}
