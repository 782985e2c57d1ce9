import { rupiah, typedRupiah } from "../../device/amounts.js";
import { field, h, notice, once } from "../../device/dom.js";
import { timeOfDay } from "../../device/shown.js";
import { tr } from "../../device/words.js";

export const CASHIER = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}$/;

/** The drawer: who has it, money that leaves it, and the blind count. @param {import("../main.js").App} app */
export function cashView(app) {
  const { drawer, booth } = app;
  const last = app.drawers.at(-1);
  return [
    h("h1", {}, tr("Cash")),
    h("p", {}, h("button", { id: "day", onclick: () => today(app) }, tr("Day report"))),
    !drawer && last && countOf(last),
    ...(drawer
      ? [
          h(
            "p",
            { class: "lead" },
            tr("{cashier} has the drawer since {time}.", {
              cashier: drawer.cashier,
              time: timeOfDay(drawer.opened_at, booth.zone),
            }),
          ),
          h("h2", {}, tr("Count the drawer")),
          ...countCashForm(app),
          h("h2", {}, tr("Money leaves the drawer")),
          amountForm(
            app,
            "dropped",
            tr("Amount"),
            tr("Keep"),
            (amount, reason) => app.till.drop(amount, reason),
            true,
          ),
        ]
      : [h("h2", {}, tr("Take the drawer")), openForm(app)]),
  ].filter(Boolean);
}

/** The blind count of the open drawer. The view that has it is shown again. @param {import("../main.js").App} app */
export function countCashForm(app) {
  return [
    h("p", {}, tr("Count first. The expected sum is shown afterwards.")),
    amountForm(app, "counted", tr("Cash in the drawer"), tr("Keep the count"), (amount) => app.till.countCash(amount)),
  ];
}

/** The report of today, whichever day was looked at before. @param {import("../main.js").App} app */
function today(app) {
  app.day = null;
  app.show("day");
}

/** What the last count has found. @param {import("../ledger.js").Drawer} drawer */
export function countOf({ cashier, counted, expected }) {
  if (counted === null) return null;
  const values = { cashier, counted, expected };
  const sums = tr("{cashier} counted {counted:rupiah}; {expected:rupiah} were expected.", values);
  const difference = tr("Difference: {difference:rupiah}", { difference: counted - expected });
  return notice(counted === expected ? "good" : "warn", h("p", {}, sums), h("p", {}, h("strong", {}, difference)));
}

/** @param {string} id */
export function value(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id)).value.trim();
}

/** @param {import("../main.js").App} app */
function openForm(app) {
  const open = once(async () => {
    const [cashier, float] = [value("cashier"), typedRupiah(value("float"))];
    if (!CASHIER.test(cashier)) return app.failed(tr("Write a number for the cashier, such as P1, and no name."));
    if (float === null) return app.failed(tr("This is no amount."));
    if (await app.record(() => app.till.openDrawer(cashier, float))) app.show("cash");
  });
  return h(
    "form",
    { class: "stack narrow", onsubmit: open },
    field(
      tr("Cashier"),
      { id: "cashier", required: true },
      tr("A number that only the booth can read, such as P1. No name."),
    ),
    field(tr("Float in the drawer"), { id: "float", inputmode: "numeric", required: true }),
    h("button", { class: "primary", id: "open-drawer" }, tr("Take the drawer")),
  );
}

/** @param {import("../main.js").App} app @param {string} id @param {string} label @param {string} action
 * @param {(amount: number, reason: string) => Promise<unknown>} act @param {boolean} [withReason] */
function amountForm(app, id, label, action, act, withReason = false) {
  const keep = once(async () => {
    const amount = typedRupiah(value(id));
    if (amount === null || (withReason && amount === 0)) return app.failed(tr("This is no amount."));
    const reason = withReason ? value(`${id}-reason`) : "";
    if (await app.record(() => act(amount, reason))) app.show(app.view);
  });
  return h(
    "form",
    { class: "stack narrow", onsubmit: keep },
    field(label, { id, inputmode: "numeric", required: true }),
    withReason && field(tr("Reason"), { id: `${id}-reason`, maxlength: 200 }),
    h("button", { id: `keep-${id}` }, action),
  );
}
