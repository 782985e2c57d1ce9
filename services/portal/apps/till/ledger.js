/** What the records of this till add up to: drawers, receipts with what is left of them, sold pieces. Pure. */
import { netAmounts, sum, valueOf } from "./money.js";

/** @typedef {import("../device/envelope.js").Body} Body */
/** @typedef {import("./records.js").PaymentKind} PaymentKind */
/** @typedef {import("../device/spool.js").News} News */
/** @typedef {import("../device/spool.js").Recorded} Recorded */
/** @typedef {{ line: number, lot: string | null, product: string, qty: number, net: number, voided: number,
 *   left: number }} KnownLine */
/** @typedef {{ record: Recorded, lines: KnownLine[], net: number, paid: PaymentKind }} KnownReceipt */
/** @typedef {{ id: string, till: string, sold_at: string, lines: KnownLine[], net: number }} OtherReceipt */
/** @typedef {{ id: string, cashier: string, opened_at: string, float: number, dropped: number, expected: number,
 *   counted: number | null, counted_at: string | null }} Drawer */

/** Every drawer that was opened on this device, oldest first. @param {Recorded[]} records @returns {Drawer[]} */
export function drawersOf(records) {
  return records.filter(({ kind }) => kind === "DrawerOpened").map((record) => drawerOf(record, records));
}

/** The drawer without a count, if any. @param {Recorded[]} records */
export function openDrawer(records) {
  return drawersOf(records).find((drawer) => drawer.counted === null) ?? null;
}

/** @param {Recorded} opened @param {Recorded[]} records @returns {Drawer} */
function drawerOf({ id, body: opening }, records) {
  let [cash, dropped] = [0, 0];
  /** @type {Body | null} */
  let count = null;
  for (const { kind, body } of records) {
    if (body.drawer !== id) continue;
    if (kind === "ReceiptIssued" && body.payment.kind === "cash") cash += sum(netAmounts(/** @type {any} */ (body)));
    else if (kind === "ReceiptVoided" && body.refund === "cash") cash -= body.refund_rupiah;
    else if (kind === "CashDropped") dropped += body.rupiah;
    else if (kind === "CashCounted") count = body;
  }
  return {
    id,
    cashier: opening.cashier,
    opened_at: opening.opened_at,
    float: opening.float_rupiah,
    dropped,
    expected: count ? count.expected_rupiah : opening.float_rupiah + cash - dropped,
    counted: count ? count.counted_rupiah : null,
    counted_at: count ? count.counted_at : null,
  };
}

/** The receipts of this device, newest first, with what is not voided of each line.
 * @param {Recorded[]} records @param {News[]} news @returns {KnownReceipt[]} */
export function receiptsOf(records, news) {
  const accounted = accountedVoids(news);
  const voids = ownVoids(records, refusedVoids(records, news));
  const receipts = records.filter(({ kind }) => kind === "ReceiptIssued").map((record) => {
    const nets = netAmounts(/** @type {any} */ (record.body));
    /** @type {KnownLine[]} */
    const lines = record.body.lines.map((/** @type {any} */ line, /** @type {number} */ index) => {
      const place = `${record.id}/${line.line}`;
      const { sent, unsent } = voids.get(place) ?? { sent: 0, unsent: 0 };
      const voided = Math.max(accounted.get(place) ?? 0, sent) + unsent;
      const { lot, product, qty } = line;
      return { line: line.line, lot, product, qty, net: nets[index], voided, left: Math.max(qty - voided, 0) };
    });
    return { record, lines, net: sum(nets), paid: record.body.payment.kind };
  });
  return receipts.reverse();
}

/** The receipts of the booth's other devices, as sales has told of them, newest first.
 * @param {Recorded[]} records @param {News[]} news @returns {OtherReceipt[]} */
export function otherReceipts(records, news) {
  const own = new Set(records.map(({ id }) => id));
  const voids = ownVoids(records, refusedVoids(records, news));
  /** @type {Map<string, OtherReceipt>} */
  const receipts = new Map();
  for (const [sale, { receipt, till, sold_at, lot, product, qty, net_rupiah, voided = 0 }] of snapshotsOf(news)) {
    if (own.has(receipt)) continue;
    const { sent, unsent } = voids.get(sale) ?? { sent: 0, unsent: 0 };
    const back = Math.max(voided, sent) + unsent;
    /** @type {OtherReceipt} */
    const known = receipts.get(receipt) ?? { id: receipt, till, sold_at, lines: [], net: 0 };
    const line = Number(sale.slice(sale.lastIndexOf("/") + 1));
    known.lines.push({ line, lot, product, qty, net: net_rupiah, voided: back, left: Math.max(qty - back, 0) });
    known.net += net_rupiah;
    receipts.set(receipt, known);
  }
  for (const { lines } of receipts.values()) lines.sort((one, other) => one.line - other.line);
  return [...receipts.values()].sort((one, other) => Date.parse(other.sold_at) - Date.parse(one.sold_at));
}

/** What is paid back for `pieces` of a line: all voids of the line together return its net amount.
 * @param {KnownLine} line @param {number} pieces */
export function refundOf({ net, qty, left }, pieces) {
  return valueOf(net, qty, left) - valueOf(net, qty, left - pieces);
}

/** Pieces that this device sold, without voids. @param {KnownReceipt[]} receipts */
export function soldOf(receipts) {
  /** @type {Map<string, number>} */
  const lots = new Map();
  /** @type {Map<string, number>} */
  const products = new Map();
  for (const { lot, product, left } of receipts.flatMap((receipt) => receipt.lines)) {
    products.set(product, (products.get(product) ?? 0) + left);
    if (lot !== null) lots.set(lot, (lots.get(lot) ?? 0) + left);
  }
  return { lots, products };
}

/** The rupiah that the removal of a record names. @param {string} kind @param {Body} body @returns {number} */
export function rupiahOf(kind, body) {
  switch (kind) {
    case "ReceiptIssued":
      return sum(netAmounts(/** @type {any} */ (body)));
    case "ReceiptVoided":
      return body.refund_rupiah;
    case "CashDropped":
      return body.rupiah;
    case "DrawerOpened":
      return body.float_rupiah;
    default:
      return 0;
  }
}

/** Whether nothing was recorded since this till closed for the booth's latest opening.
 * @param {Recorded[]} records @param {number} opening */
export function isClosed(records, opening) {
  const last = records.at(-1);
  return last?.kind === "TillClosed" && last.body.opening >= opening;
}

/** Voided pieces by `receipt/line`. @param {News[]} news @returns {Map<string, number>} */
function accountedVoids(news) {
  return new Map([...snapshotsOf(news)].map(([sale, data]) => [sale, data.voided ?? 0]));
}

/** What sales has told last of each sale, by `receipt/line`. @param {News[]} news */
function snapshotsOf(news) {
  /** @type {Map<string, Record<string, any>>} */
  const latest = new Map();
  for (const { type, data } of news) {
    if (!type.startsWith("SaleAccounted.")) continue;
    const known = latest.get(data.sale);
    if (!known || known.revision < data.revision) latest.set(data.sale, data);
  }
  return latest;
}

/** The refused lines of this device's voids, as `void line`. A refusal names the till and the pieces alone: of equal
 * voids it means the last one. @param {Recorded[]} records @param {News[]} news */
function refusedVoids(records, news) {
  /** @type {Map<string, string[]>} */
  const open = new Map();
  for (const { kind, id, body } of records) {
    if (kind !== "ReceiptVoided") continue;
    for (const { line, qty } of body.lines) {
      const place = `${body.receipt} ${line} ${body.till} ${qty}`;
      open.set(place, [...(open.get(place) ?? []), id]);
    }
  }
  /** @type {Set<string>} */
  const refused = new Set();
  for (const { type, data } of news) {
    if (!type.startsWith("VoidRefused.") || (data.till ?? null) === null) continue;
    const id = open.get(`${data.receipt} ${data.line} ${data.till} ${data.qty}`)?.pop();
    if (id !== undefined) refused.add(`${id} ${data.line}`);
  }
  return refused;
}

/** @param {Recorded[]} records @param {Set<string>} refused */
function ownVoids(records, refused) {
  /** @type {Map<string, { sent: number, unsent: number }>} */
  const voids = new Map();
  for (const { kind, id, body, sent } of records) {
    if (kind !== "ReceiptVoided") continue;
    for (const { line, qty } of body.lines) {
      if (refused.has(`${id} ${line}`)) continue;
      const place = `${body.receipt}/${line}`;
      const known = voids.get(place) ?? { sent: 0, unsent: 0 };
      known[sent ? "sent" : "unsent"] += qty;
      voids.set(place, known);
    }
  }
  return voids;
}
