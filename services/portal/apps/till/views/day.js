import { rupiah } from "../../device/amounts.js";
import { h, notice } from "../../device/dom.js";
import { timeOfDay } from "../../device/shown.js";
import { tr } from "../../device/words.js";
import { dayOf, daysOf, tillDay } from "../day.js";
import { kindOf } from "../shown.js";
import { printButtons } from "./receipt.js";

/** What this till took on a day. @param {import("../main.js").App} app */
export function dayView(app) {
  const zone = app.zone;
  const today = dayOf(new Date().toISOString(), zone);
  const days = [...new Set([today, ...daysOf(app.records, zone)])];
  const day = app.day ?? today;
  const report = tillDay(app.records, app.drawers, day, zone);
  const other = (/** @type {string} */ text) =>
    h(
      "button",
      {
        id: `day-${text}`,
        "aria-pressed": String(text === day),
        onclick: () => {
          app.day = text;
          app.show("day");
        },
      },
      text,
    );
  return [
    h("p", {}, h("button", { id: "back", onclick: () => app.show("cash") }, tr("Back"))),
    h(
      "section",
      { class: "paper day", "aria-label": tr("Day report") },
      h("h1", {}, tr("Day report {day}", { day })),
      h("p", {}, `${app.placeName} · ${app.enrolment?.name}`),
      payments(report),
      h(
        "p",
        {},
        tr("{receipts:receipt|receipts}, {voids:void|voids}", { receipts: report.receipts, voids: report.voids }),
      ),
      report.drawers.map((drawer) => drawerOf(drawer, zone)),
      report.takenOut.length
        ? h(
            "p",
            {},
            tr("{count:record was|records were} taken out before sending.", { count: report.takenOut.length }),
          )
        : null,
    ),
    report.unsent
      ? notice("warn", h("p", {}, tr("{count:record is|records are} only on this device.", { count: report.unsent })))
      : null,
    printButtons(),
    days.length > 1 && h("div", { class: "actions" }, days.map(other)),
  ].filter(Boolean);
}

/** Takings and refunds by kind of payment. @param {import("../day.js").TillDay} report */
export function payments({ payments }) {
  const row = (/** @type {string} */ text, /** @type {number | null} */ amount) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, text),
      amount === null ? h("td", {}, tr("after the count")) : h("td", { class: "number" }, rupiah(amount)),
    );
  const rows = payments.flatMap(({ kind, receipts, net, refunds, refunded }) => [
    row(tr("{payment}: {receipts:receipt|receipts}", { payment: kindOf(kind), receipts }), net),
    ...(refunds ? [row(tr("{payment}: {refunds:refund|refunds}", { payment: kindOf(kind), refunds }), refunded)] : []),
  ]);
  return h("table", {}, h("tbody", {}, rows));
}

/** A shift: who had the drawer, from when to when. @param {import("../ledger.js").Drawer} drawer
 * @param {string | null} zone */
export function drawerOf({ cashier, opened_at, counted_at, float, dropped, counted, expected }, zone) {
  const from = timeOfDay(opened_at, zone);
  if (counted === null || counted_at === null)
    return h("p", {}, tr("{cashier} has the drawer since {time}.", { cashier, time: from }));
  const to = timeOfDay(counted_at, zone);
  return h(
    "p",
    {},
    tr("{cashier} had the drawer from {from} to {to}.", { cashier, from, to }),
    " ",
    tr("Float {float:rupiah}, taken away {dropped:rupiah}, counted {counted:rupiah}, expected {expected:rupiah}.", {
      float,
      dropped,
      counted,
      expected,
    }),
  );
}
