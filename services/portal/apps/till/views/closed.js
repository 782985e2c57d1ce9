import { thousands } from "../../device/amounts.js";
import { h, notice } from "../../device/dom.js";
import { timeOfDay } from "../../device/shown.js";
import { tr } from "../../device/words.js";
import { dayOf, tillDay } from "../day.js";
import { nameOf } from "../shown.js";
import { drawerOf, payments } from "./day.js";
import { printButtons } from "./receipt.js";

/** A closed till: what it sold and took in all, its drawers, and who closed it. @param {import("../main.js").App} app */
export function closedView(app) {
  const { note, by, kept_at } = app.stored[app.stored.length - 1];
  const { zone } = app;
  const report = tillDay(app.records, app.drawers, null, zone);
  const values = { day: dayOf(new Date(kept_at).toISOString(), zone), time: timeOfDay(kept_at, zone), cashier: by ?? "" };
  return [
    h("h1", {}, tr("This till is closed.")),
    h("p", { class: "lead" }, tr("If the booth is reopened, it sells on after a sync.")),
    h(
      "section",
      { class: "paper day", "aria-label": tr("What this till sold") },
      h("p", {}, h("strong", {}, `${app.placeName} · ${app.enrolment?.name}`)),
      h(
        "p",
        {},
        by ? tr("Closed by {cashier} on {day}, {time}.", values) : tr("Closed on {day}, {time}.", values),
      ),
      note ? h("p", {}, tr("It was closed before all records were sent: {why}", { why: note })) : null,
      goods(app),
      payments(report),
      h(
        "p",
        {},
        tr("{receipts:receipt|receipts}, {voids:void|voids}", { receipts: report.receipts, voids: report.voids }),
      ),
      report.drawers.map((drawer) => drawerOf(drawer, zone)),
    ),
    app.unsent.length
      ? notice("warn", h("p", {}, tr("{count:record is|records are} only on this device.", { count: app.unsent.length })))
      : null,
    printButtons(),
  ].filter(Boolean);
}

/** Pieces by product, without what came back. @param {import("../main.js").App} app */
function goods(app) {
  const sold = [...app.sold.products].filter(([, pieces]) => pieces > 0);
  if (!sold.length) return h("p", {}, tr("Nothing was sold."));
  const rows = sold.map(([product, pieces]) =>
    h("tr", {}, h("th", { scope: "row" }, nameOf(app, product)), h("td", { class: "number" }, thousands(pieces))),
  );
  return h("table", { class: "sold" }, h("tbody", {}, rows));
}
