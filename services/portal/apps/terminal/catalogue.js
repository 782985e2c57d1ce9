/** The terminal's own copy of its facility's part of the catalogue, from what it has received. Pure. */
import { addDays } from "./days.js";

/** @typedef {{ facility: string, revision: number, name: string, zone: string, products: string[],
 *   retired_at: string | null }} Facility */
/** @typedef {{ product: string, revision: number, name: string, category: string, unit: string, max_qty: number,
 *   shelf_life_days: number | null, retired_at: string | null }} Product */
/** @typedef {{ facility: Facility | null, products: Map<string, Product> }} Catalogue each by its highest revision;
 *   without a facility nothing was received */
/** @typedef {{ why: "retired-facility", facility: string } | { why: "not-listed", product: string } |
 *   { why: "too-many", most: number, unit: string, name: string } |
 *   { why: "beyond-shelf-life", days: number, until: string, name: string }} CatalogueFault */

/** @param {import("../device/spool.js").News[]} news @returns {Catalogue} */
export function catalogueOf(news) {
  /** @type {Facility | null} */
  let facility = null;
  /** @type {Map<string, Product>} */
  const products = new Map();
  for (const { type, data } of news) {
    if (type.startsWith("FacilityListed.")) {
      const listed = /** @type {Facility} */ (data);
      if (listed.revision > (facility?.revision ?? -1)) facility = listed;
    } else if (type.startsWith("ProductListed.")) {
      const listed = /** @type {Product} */ (data);
      if (listed.revision > (products.get(listed.product)?.revision ?? -1)) products.set(listed.product, listed);
    }
  }
  return { facility, products };
}

/** Whether all that the facility makes has been received. @param {Catalogue} catalogue */
export function isWhole({ facility, products }) {
  return facility !== null && facility.products.every((code) => products.has(code));
}

/** The products that can be recorded, by their codes. @param {Catalogue} catalogue @returns {Product[]} */
export function onList({ facility, products }) {
  const codes = new Set(facility?.products ?? []);
  return [...products.values()]
    .filter(({ product, retired_at }) => codes.has(product) && (retired_at ?? null) === null)
    .sort((one, other) => (one.product < other.product ? -1 : 1));
}

/** The last day on which it is good by its shelf life; null for goods that do not spoil.
 * @param {Product | undefined} product @param {string} made_on */
export function spoilsOn(product, made_on) {
  const days = product?.shelf_life_days ?? null;
  return days === null ? null : addDays(made_on, days);
}

/** Why production would refuse these goods by the catalogue, or null. Without a whole catalogue all is taken.
 * @param {Catalogue} catalogue @param {import("./records.js").Goods} goods @returns {CatalogueFault | null} */
export function faultBy(catalogue, { product: code, qty, made_on, best_before }) {
  const { facility } = catalogue;
  if (!facility || !isWhole(catalogue)) return null;
  if ((facility.retired_at ?? null) !== null) return { why: "retired-facility", facility: facility.facility };
  const product = onList(catalogue).find((listed) => listed.product === code);
  if (!product) return { why: "not-listed", product: code };
  const { name, unit, max_qty: most, shelf_life_days } = product;
  if (qty > most) return { why: "too-many", most, unit, name };
  const until = spoilsOn(product, made_on);
  if (best_before !== null && until !== null && best_before > until)
    return { why: "beyond-shelf-life", days: shelf_life_days ?? 0, until, name };
  return null;
}
