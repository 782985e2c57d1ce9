/** The commands of the terminal: each becomes one record, or several that are kept together. */
import { liftRecall, productionCorrected, productionReported, recallLot, withdrawReport } from "./records.js";

/** @typedef {import("../device/spool.js").Spool} Spool */

/** For so long a record can be undone, and is not sent. */
export const UNDO = 10_000;

/** @type {import("../device/sync.js").Habits} */
export const HABITS = { news: "facilities", topics: ["karya.facility-catalogue.v1", "karya.report-answers.v1"] };

export class Terminal {
  /** @param {Spool} spool */
  constructor(spool) {
    this.spool = spool;
  }

  /** Record new lots, all of them or none. @param {import("./records.js").Goods[]} goods */
  record(goods) {
    return this.#keep(...goods.map((made) => (/** @type {any} */ place) => productionReported(place, made)));
  }

  /** @param {string} lot @param {number} change pieces more, or fewer if negative @param {string} reason */
  correct(lot, change, reason) {
    return this.#keep((place) => productionCorrected(place, { lot, change, reason }));
  }

  /** @param {string} lot @param {string} reason */
  recall(lot, reason) {
    return this.#keep((place) => recallLot(place, { lot, reason }));
  }

  /** @param {string} lot @param {string} reason */
  lift(lot, reason) {
    return this.#keep((place) => liftRecall(place, { lot, reason }));
  }

  /** @param {string} lot @param {string} reason */
  withdraw(lot, reason) {
    return this.#keep((place) => withdrawReport(place, { lot, reason }));
  }

  /** Take records out before they are sent. @param {number[]} numbers */
  undo(numbers) {
    return this.spool.takeOut(numbers);
  }

  /** @param {((place: import("../device/spool.js").Place) => import("../device/envelope.js").Draft)[]} writes */
  #keep(...writes) {
    return this.spool.appendAll(writes, new Date(), { hold: UNDO });
  }
}
