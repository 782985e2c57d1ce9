/** The commands of the till: each is checked, then recorded. */
import { isRecalled } from "./basket.js";
import { isClosed, openDrawer, rupiahOf } from "./ledger.js";
import {
  boothCounted,
  cashCounted,
  cashDropped,
  deviceIntroduced,
  drawerOpened,
  receiptIssued,
  receiptVoided,
  recordTakenOut,
  tillClosed,
} from "./records.js";

/** @typedef {import("../device/spool.js").Spool} Spool */
/** @typedef {import("../device/spool.js").Recorded} Recorded */
/** @typedef {import("./booth.js").Booth} Booth */
/** @typedef {import("./records.js").Place} Place */
/** @typedef {import("./records.js").PaymentKind} PaymentKind */

/** The till begins with a record that introduces it, and follows the news of its booth.
 * @type {import("../device/sync.js").Habits} */
export const HABITS = {
  news: "booths",
  topics: ["karya.booth-stock.v1", "karya.sales.v1"],
  introduce: async (spool) => {
    if ((await spool.stored()).length) return;
    const at = new Date();
    await spool.append((place) => deviceIntroduced(tillPlace(place), at), at);
  },
};

/** For so long a sale can be undone, and is not sent. */
export const UNDO = 10_000;

/** A command that is not possible now. */
export class Refused extends Error {
  /** @param {"closed" | "drawer-open" | "no-drawer" | "recalled" | "voided" | "unsent"} why */
  constructor(why) {
    super(why);
    this.why = why;
  }
}

export class Till {
  /** @param {Spool} spool */
  constructor(spool) {
    this.spool = spool;
  }

  /** @param {(place: Place, records: Recorded[]) => import("../device/envelope.js").Draft} write @param {Date} at
   * @param {{ hold?: number, note?: string, by?: string }} [options] */
  #append(write, at, options) {
    return this.spool.append((place, records) => write(tillPlace(place), records), at, options);
  }

  /** @param {{ lines: import("./records.js").Goods[], price_list: number,
   *   payment: import("./records.js").Payment }} sale
   * @param {Booth} booth as it is known now: a recall may have come since the lines were shown */
  sell({ lines, price_list, payment }, booth) {
    const at = new Date();
    return this.#append(
      (place, records) => {
        if (isClosed(records, booth.opening)) throw new Refused("closed");
        if (lines.some((line) => isRecalled(line, booth))) throw new Refused("recalled");
        const drawer = payment.kind === "cash" ? (openDrawer(records)?.id ?? null) : null;
        return receiptIssued(place, { lines, payment, drawer, price_list }, at);
      },
      at,
      { hold: UNDO },
    );
  }

  /** Take the last record out before it is sent; its number stays. @param {number} seq @param {string} reason */
  undo(seq, reason) {
    const at = new Date();
    return this.spool.replaceLast(seq, (place, { kind, body }) =>
      recordTakenOut(tillPlace(place), { kind, rupiah: rupiahOf(kind, body), reason }, at),
    );
  }

  /** @param {{ receipt: string, lines: { line: number, qty: number }[], refund: PaymentKind, refund_rupiah: number,
   *   reason: string }} made
   * @param {number} seen the number of the last record that the pieces were chosen by */
  voidPieces(made, seen) {
    const at = new Date();
    return this.#append((place, records) => {
      // Another tab may have taken the same pieces back.
      const later = records.filter(({ seq, kind }) => seq > seen && kind === "ReceiptVoided");
      if (later.some(({ body }) => body.receipt === made.receipt)) throw new Refused("voided");
      const drawer = made.refund === "cash" ? (openDrawer(records)?.id ?? null) : null;
      return receiptVoided(place, { ...made, drawer }, at);
    }, at);
  }

  /** @param {string} cashier a pseudonym @param {number} float_rupiah */
  openDrawer(cashier, float_rupiah) {
    const at = new Date();
    return this.#append((place, records) => {
      if (openDrawer(records)) throw new Refused("drawer-open");
      return drawerOpened(place, { cashier, float_rupiah }, at);
    }, at);
  }

  /** @param {number} rupiah @param {string} reason */
  drop(rupiah, reason) {
    const at = new Date();
    return this.#append(
      (place, records) => cashDropped(place, { drawer: drawer(records).id, rupiah, reason }, at),
      at,
    );
  }

  /** Record the cash in the drawer. The expected sum is taken from the records in the same turn.
   * @param {number} counted_rupiah */
  countCash(counted_rupiah) {
    const at = new Date();
    return this.#append((place, records) => {
      const { id, expected } = drawer(records);
      return cashCounted(place, { drawer: id, counted_rupiah, expected_rupiah: expected }, at);
    }, at);
  }

  /** @param {{ final: boolean, lots: { lot: string, qty: number }[], products: { product: string,
   *   qty: number }[] }} count */
  count(count) {
    const at = new Date();
    return this.#append((place) => boothCounted(place, count, at), at);
  }

  /** @param {number} opening @param {string} by who closes it: a pseudonym
   * @param {string} note why it is closed although records are not sent */
  close(opening, by, note) {
    return this.#append(
      (place, records) => {
        if (isClosed(records, opening)) throw new Refused("closed");
        if (!note && records.some(({ sent }) => !sent)) throw new Refused("unsent");
        return tillClosed(place, { opening });
      },
      new Date(),
      { note, by },
    );
  }
}

/** @param {Recorded[]} records */
function drawer(records) {
  const open = openDrawer(records);
  if (!open) throw new Refused("no-drawer");
  return open;
}

/** @param {import("../device/spool.js").Place} place @returns {Place} */
function tillPlace({ scope, name, device, seq, previous }) {
  return { booth: scope, till: name, device, seq, previous };
}
