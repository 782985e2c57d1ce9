/** What a person enters about goods: checked as production would, before it is recorded. Pure. */
import { faultBy, spoilsOn } from "./catalogue.js";
import { addDays, isDay } from "./days.js";
import { typedWhole } from "./typed.js";

/** @typedef {{ product: string, qty: string, made_on: string, best_before: string }} Entry as it was typed; an empty
 *   `best_before` is that of the shelf life */
/** @typedef {{ why: "no-number" | "not-positive" | "no-day" | "in-future" | "too-old" | "before-made" } |
 *   import("./catalogue.js").CatalogueFault} Fault */
/** @typedef {{ goods: import("./records.js").Goods, fault: null } | { goods: null, fault: Fault }} Checked */

const OLDEST_DAYS = 400;

/** The goods of an entry, or what is wrong with it. `today` is the facility's day.
 * @param {Entry} entry @param {import("./catalogue.js").Catalogue} catalogue @param {string} today
 * @returns {Checked} */
export function checked({ product, qty: typed, made_on, best_before: chosen }, catalogue, today) {
  const wrong = (/** @type {Fault} */ fault) => /** @type {Checked} */ ({ goods: null, fault });
  const qty = typedWhole(typed);
  if (qty === null) return wrong({ why: "no-number" });
  if (qty < 1) return wrong({ why: "not-positive" });
  if (!isDay(made_on) || (chosen !== "" && !isDay(chosen))) return wrong({ why: "no-day" });
  if (made_on > today) return wrong({ why: "in-future" });
  if (made_on < addDays(today, -OLDEST_DAYS)) return wrong({ why: "too-old" });
  // Production works out the day of the shelf life, so that it is not sent.
  const proposed = spoilsOn(catalogue.products.get(product), made_on);
  const best_before = chosen === "" || chosen === proposed ? null : chosen;
  if (best_before !== null && best_before < made_on) return wrong({ why: "before-made" });
  const goods = { product, qty, made_on, best_before };
  const fault = faultBy(catalogue, goods);
  return fault ? wrong(fault) : { goods, fault: null };
}
