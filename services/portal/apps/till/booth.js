/** The booth as this till knows it: price lists, its part of the stock, withdrawn lots. Pure. */

/** @typedef {import("../device/spool.js").News} News */
/** @typedef {{ id: string, product: string, made_on: string, stocked: number, slice: number,
 *   withdrawn: boolean }} Lot */
/** @typedef {{ revision: number, valid_from: string | null, prices: Map<string, number> }} PriceList */
/** @typedef {{ name: string | null, zone: string | null, festival: string | null, listed: boolean, struck: boolean,
 *   former: string[], opening: number, withdrawn: Set<string>, closing: string | null, lists: PriceList[],
 *   names: Map<string, string>, lots: Map<string, Lot>,
 *   redirected: { to: string, merged: boolean } | null }} Booth */

/** @type {PriceList} */
const UNKNOWN = { revision: 0, valid_from: null, prices: new Map() };

/** @param {News[]} news @param {string} till @param {string} device @returns {Booth} */
export function boothOf(news, till, device) {
  const state = new State();
  for (const item of news) state.apply(item.type.slice(0, item.type.lastIndexOf(".")), item.data);
  const holders = state.holders(till, device);
  /** @type {Map<string, Lot>} */
  const lots = new Map();
  for (const [id, { product, made_on }] of state.lots) {
    const stocked = state.stocked.get(id) ?? 0;
    const slice = sliceOf(stocked, holders, holderText(till, device));
    lots.set(id, { id, product, made_on, stocked, slice, withdrawn: state.withdrawn.has(id) });
  }
  const { opened, closing, opening, redirected } = state;
  return {
    name: state.name,
    zone: state.zone,
    festival: opened?.festival ?? null,
    listed: state.tills.has(till),
    struck: state.struck.has(holderText(till, device)) || state.struck.has(holderText(till, null)),
    former: state.former(till, device),
    opening,
    closing: closing && closing.opening >= opening ? closing.deadline : null,
    lists: [...state.lists.values()],
    names: state.names,
    lots,
    withdrawn: state.withdrawn,
    redirected: redirected && (redirected.merged || !opened) ? redirected : null,
  };
}

/** The price list of the highest revision that is valid at `moment`. @param {Booth} booth @param {Date} moment */
export function pricesAt(booth, moment) {
  const valid = booth.lists.filter((list) => list.valid_from === null || new Date(list.valid_from) <= moment);
  return valid.reduce((best, list) => (list.revision > best.revision ? list : best), UNKNOWN);
}

/** The lots of a product, oldest first. @param {Booth} booth @param {string} product */
export function lotsOf(booth, product) {
  const lots = [...booth.lots.values()].filter((lot) => lot.product === product);
  return lots.sort((one, other) => compare(one.made_on, other.made_on) || compare(one.id, other.id));
}

/** The pieces of a product that this till may still sell. `sold`: its own sales by lot and by product, without voids.
 * @param {Booth} booth @param {string} product
 * @param {{ lots: Map<string, number>, products: Map<string, number> }} sold */
export function leftOf(booth, product, sold) {
  let left = -(sold.products.get(product) ?? 0);
  for (const lot of lotsOf(booth, product)) left += lot.withdrawn ? (sold.lots.get(lot.id) ?? 0) : lot.slice;
  return left;
}

/** The pieces of a lot that this till may still sell. @param {Booth} booth @param {string} id
 * @param {{ lots: Map<string, number> }} sold */
export function leftOfLot(booth, id, sold) {
  const lot = booth.lots.get(id);
  return (lot && !lot.withdrawn ? lot.slice : 0) - (sold.lots.get(id) ?? 0);
}

/** Whether nothing of the product may be sold: it is here, and all of its lots are withdrawn.
 * @param {Booth} booth @param {string} product */
export function isWithdrawn(booth, product) {
  const lots = lotsOf(booth, product);
  return lots.length > 0 && lots.every((lot) => lot.withdrawn);
}

/** @param {string} one @param {string} other */
function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A till and the device in its place; null while none is known. No name has a space.
 * @param {string} till @param {string | null} device */
function holderText(till, device) {
  return `${till} ${device ?? ""}`;
}

/** Equal parts, and one piece of the remainder for each of the first holders.
 * @param {number} stocked @param {string[]} holders @param {string} holder */
function sliceOf(stocked, holders, holder) {
  const index = holders.indexOf(holder);
  if (index < 0) return 0;
  const pieces = Math.max(stocked, 0);
  return Math.floor(pieces / holders.length) + (index < pieces % holders.length ? 1 : 0);
}

class State {
  /** @type {Record<string, any> | null} */ opened = null;
  /** @type {string | null} */ name = null;
  /** @type {string | null} */ zone = null;
  /** @type {Record<string, any> | null} */ closing = null;
  opening = 1;
  /** @type {Set<string>} */ tills = new Set();
  /** @type {Map<string, { till: string, device: string }>} */ devices = new Map();
  /** @type {Set<string>} */ struck = new Set();
  /** @type {Map<number, PriceList>} */ lists = new Map();
  /** @type {Map<string, string>} */ names = new Map();
  /** @type {Map<string, { product: string, made_on: string }>} */ lots = new Map();
  /** @type {Map<string, number>} */ counted = new Map();
  /** @type {Map<string, number>} */ stocked = new Map();
  /** @type {Set<string>} */ withdrawn = new Set();
  /** @type {{ to: string, merged: boolean } | null} */ redirected = null;

  /** @param {string} kind @param {Record<string, any>} body */
  apply(kind, body) {
    switch (kind) {
      case "BoothOpened":
        this.opened = body;
        [this.name, this.zone] = [body.name, body.zone];
        for (const till of body.tills) this.tills.add(till);
        this.addList(1, null, body.prices);
        break;
      case "BoothChanged":
        [this.name, this.zone] = [body.name, body.zone];
        break;
      case "PricesChanged":
        this.addList(body.revision, body.valid_from, body.prices);
        break;
      case "TillAdded":
        this.tills.add(body.till);
        break;
      case "TillStruck":
        // A device that lost only a branch continues.
        if ((body.branch ?? null) === null) this.struck.add(holderText(body.till, body.device ?? null));
        break;
      case "DeviceHeard":
        this.devices.set(holderText(body.till, body.device), { till: body.till, device: body.device });
        break;
      case "BoothStocked":
        this.count(body, (this.counted.get(body.lot) ?? 0) + body.qty);
        break;
      case "LotRecounted":
        this.count(body, body.qty);
        break;
      case "BoothStockLost":
      case "BoothStockMoved":
        this.stocked.set(body.lot, (this.stocked.get(body.lot) ?? 0) - body.qty);
        break;
      case "LotWithdrawn":
        this.withdrawn.add(body.lot);
        break;
      case "LotReinstated":
        this.withdrawn.delete(body.lot);
        break;
      case "BoothClosing":
        this.closing = body;
        break;
      case "BoothReopened":
        // The topics of festival and sales have no order between them.
        this.opening = Math.max(this.opening, body.opening);
        break;
      case "BoothRedirected":
        this.redirected = { to: body.to, merged: body.merged };
        break;
    }
  }

  /** Set the pieces of the lot that were counted in, in all. @param {Record<string, any>} body
   * @param {number} counted */
  count(body, counted) {
    if (!this.lots.has(body.lot)) this.lots.set(body.lot, { product: body.product, made_on: body.made_on });
    const stocked = (this.stocked.get(body.lot) ?? 0) + counted - (this.counted.get(body.lot) ?? 0);
    this.stocked.set(body.lot, stocked);
    this.counted.set(body.lot, counted);
  }

  /** A list that changes prices need not repeat the names.
   * @param {number} revision @param {string | null} valid_from
   * @param {{ product: string, price_rupiah: number, name?: string }[]} prices */
  addList(revision, valid_from, prices) {
    for (const { product, name } of prices) if (name) this.names.set(product, name);
    const list = new Map(prices.map(({ product, price_rupiah }) => [product, price_rupiah]));
    this.lists.set(revision, { revision, valid_from, prices: list });
  }

  /** Other devices that were heard under the name of this till, and are not struck.
   * @param {string} till @param {string} device */
  former(till, device) {
    const others = [...this.devices.values()].filter((other) => other.till === till && other.device !== device);
    return others.filter((other) => !this.struck.has(holderText(till, other.device))).map((other) => other.device);
  }

  /** The holders that share the stock, in the same order at every till: each device, and each name without one.
   * @param {string} till @param {string} device */
  holders(till, device) {
    if (!this.opened) return [];
    const devices = new Map(this.devices).set(holderText(till, device), { till, device });
    const taken = new Set([...devices.values()].map((holder) => holder.till));
    const names = [...this.tills].filter((name) => !taken.has(name)).map((name) => ({ till: name, device: "" }));
    const isStruck = (/** @type {{ till: string, device: string }} */ holder) =>
      this.struck.has(holderText(holder.till, holder.device)) || this.struck.has(holderText(holder.till, null));
    return [...devices.values(), ...names]
      .filter((holder) => !isStruck(holder))
      .sort((one, other) => compare(one.till, other.till) || compare(one.device, other.device))
      .map((holder) => holderText(holder.till, holder.device));
  }
}
