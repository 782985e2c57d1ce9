// Records, checks and views as the terminal in a browser makes them. Reads one JSON document, and writes the answers.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${folder}/${name}.js`));
const [envelope, records, catalogue, entries, reports, days, typed] = await Promise.all(
  [
    "device/envelope",
    "terminal/records",
    "terminal/catalogue",
    "terminal/entries",
    "terminal/reports",
    "terminal/days",
    "terminal/typed",
  ].map(load),
);
const BUILDERS = {
  ProductionReported: records.productionReported,
  ProductionCorrected: records.productionCorrected,
  RecallLot: records.recallLot,
  LiftRecall: records.liftRecall,
  WithdrawReport: records.withdrawReport,
};
const asked = JSON.parse(readFileSync(file, "utf8"));

const ANSWERS = {
  bodies: (items) =>
    items.map(({ kind, place, given }) => {
      const draft = BUILDERS[kind](place, given);
      const bytes = Buffer.from(envelope.encode(draft.body)).toString("base64");
      return { bytes, type: envelope.eventType(draft.kind) };
    }),
  catalogues: (items) =>
    items.map(({ news, goods }) => {
      const copy = catalogue.catalogueOf(news);
      return {
        onList: catalogue.onList(copy).map(({ product }) => product),
        isWhole: catalogue.isWhole(copy),
        zone: copy.facility?.zone ?? null,
        faults: goods.map((made) => catalogue.faultBy(copy, made)),
      };
    }),
  entries: ({ news, today, entries: typedEntries }) => {
    const copy = catalogue.catalogueOf(news);
    return typedEntries.map((entry) => entries.checked(entry, copy, today));
  },
  reports: (items) =>
    items.map(({ records: kept, news, name }) => {
      const all = reports.reportsOf(kept, news, name);
      return {
        standings: all.map(({ standing }) => standing),
        lots: reports.lotsOf(all, news),
        open: all.filter(reports.isOpen).length,
      };
    }),
  wholes: (items) => items.map(typed.typedWhole),
  days: (items) => items.map(days.isDay),
  daysIn: (items) => items.map(([at, zone]) => days.dayIn(new Date(at), zone)),
  later: (items) => items.map(([day, count]) => days.addDays(day, count)),
};

const answers = {};
for (const [name, items] of Object.entries(asked)) answers[name] = await ANSWERS[name](items);
console.log(JSON.stringify(answers));
