// Records, sums and signatures as the till in a browser makes them. Reads one JSON document, and writes the answers.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${folder}/${name}.js`));
const [records, money, booth, basket, ledger, day, till] = await Promise.all(
  ["records", "money", "booth", "basket", "ledger", "day", "till"].map((name) => load(`till/${name}`)),
);
const [amounts, envelope, lot, signatures, qr] = await Promise.all(
  ["amounts", "envelope", "lot", "signatures", "qr"].map((name) => load(`device/${name}`)),
);
const BUILDERS = {
  DeviceIntroduced: (place, _, at) => records.deviceIntroduced(place, at),
  ReceiptIssued: records.receiptIssued,
  ReceiptVoided: records.receiptVoided,
  BoothCounted: records.boothCounted,
  DrawerOpened: records.drawerOpened,
  CashDropped: records.cashDropped,
  CashCounted: records.cashCounted,
  RecordTakenOut: records.recordTakenOut,
  TillClosed: (place, given) => records.tillClosed(place, given),
};
const text = (bytes) => Buffer.from(bytes).toString("base64");
const outcome = async (act) => {
  try {
    return (await act()).kind;
  } catch (fault) {
    if (fault instanceof till.Refused) return fault.why;
    throw fault;
  }
};
const plain = (map) => Object.fromEntries(map);
const asked = JSON.parse(readFileSync(file, "utf8"));

const ANSWERS = {
  bodies: (items) =>
    items.map(({ kind, place, given, at }) => {
      const draft = BUILDERS[kind](place, given, new Date(at));
      const bytes = text(envelope.encode(draft.body));
      return { bytes, type: envelope.eventType(draft.kind), rupiah: ledger.rupiahOf(kind, draft.body) };
    }),
  nets: (items) => items.map(money.netAmounts),
  values: (items) => items.map((item) => money.valueOf(...item)),
  formats: (items) => items.map((amount) => [amounts.rupiah(amount), amounts.thousands(Math.abs(amount))]),
  typed: (items) => items.map(amounts.typedRupiah),
  lots: (items) => items.map(lot.parseLot),
  times: (items) => items.map((at) => envelope.recordTime(new Date(at))),
  signed: async ({ key, records: contents }) => {
    const { x, y, crv, kty } = key;
    const imported = await crypto.subtle.importKey("jwk", key, signatures.KEY, false, ["sign"]);
    const subject = await signatures.subjectOf({ kty, crv, x, y });
    const made = [];
    for (const { bytes, ...content } of contents) {
      const whole = { ...content, bytes: new Uint8Array(Buffer.from(bytes, "base64")) };
      const signature = await signatures.signRecord(imported, subject, whole);
      made.push({ payload: text(signatures.payloadOf(whole)), signature });
    }
    return { subject, made, proof: await signatures.prove(imported, subject, "http://identity.test", "challenge") };
  },
  codes: (items) => items.map((item) => qr.qrModules(item)),
  days: (items) =>
    items.map(({ records: own, day: asked, zone }) => {
      const report = day.tillDay(own, ledger.drawersOf(own), asked, zone);
      return { ...report, days: day.daysOf(own, zone), drawers: report.drawers.map(({ id }) => id) };
    }),
  booths: (items) =>
    items.map(({ till, device, news, records: own, at, lines }) => {
      const view = booth.boothOf(news, till, device);
      const receipts = ledger.receiptsOf(own, news);
      const sold = ledger.soldOf(receipts);
      const { revision, prices } = booth.pricesAt(view, new Date(at));
      return {
        revision,
        prices: plain(prices),
        names: plain(view.names),
        opening: view.opening,
        listed: view.listed,
        struck: view.struck,
        isClosing: view.closing !== null,
        slices: Object.fromEntries([...view.lots].map(([id, lot]) => [id, lot.slice])),
        left: Object.fromEntries([...prices.keys()].map((product) => [product, booth.leftOf(view, product, sold)])),
        drawers: ledger.drawersOf(own).map(({ id, expected, counted }) => [id, expected, counted]),
        isClosed: ledger.isClosed(own, view.opening),
        doubts: basket.oversold(lines, view, sold),
        former: view.former,
        others: ledger
          .otherReceipts(own, news)
          .map(({ id, lines }) => [id, lines.map((line) => [line.line, line.left, ledger.refundOf(line, line.left)])]),
        receipts: receipts.map(({ record, lines }) => [
          record.id,
          lines.map((line) => [line.left, ledger.refundOf(line, line.left)]),
        ]),
      };
    }),
  commands: (items) =>
    Promise.all(
      items.map(({ records: own, news, sold, voided, note }) => {
        const place = { scope: "ODOP.B01", name: "T1", device: "d1", seq: own.length + 1, previous: null };
        const made = new till.Till({ append: async (write) => write(place, own) });
        const view = booth.boothOf(news, "T1", "d1");
        if (sold) return outcome(() => made.sell(sold, view));
        if (voided) return outcome(() => made.voidPieces(voided.made, voided.seen));
        return outcome(() => made.close(view.opening, "P1", note));
      }),
    ),
  leftOut: (items) =>
    items.map(({ news, basket: pieces, at }) => {
      const view = booth.boothOf(news, "T1", "d1");
      const all = new Map(pieces);
      const lines = basket.linesOf(all, view, new Date(at)).lines.map(({ lot, product }) => lot ?? product);
      return { lines, out: basket.leftOut(all, view, new Date(at)).map(({ item, fault }) => [item, fault]) };
    }),
  baskets: (items) =>
    items.map(({ taps, due }) => ({
      basket: plain(taps.reduce((all, [product, by]) => basket.changed(all, product, by), new Map())),
      cash: basket.likelyCash(due),
    })),
};

const answers = {};
for (const [name, items] of Object.entries(asked)) answers[name] = await ANSWERS[name](items);
console.log(JSON.stringify(answers));
