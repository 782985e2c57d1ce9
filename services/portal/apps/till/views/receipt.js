import { rupiah, thousands } from "../../device/amounts.js";
import { h, notice, once } from "../../device/dom.js";
import { timeOfDay } from "../../device/shown.js";
import { qrPicture } from "../../device/picture.js";
import { isHeld } from "../../device/spool.js";
import { tr } from "../../device/words.js";
import { dayOf } from "../day.js";
import { kindOf, nameOf } from "../shown.js";

/** The receipt that was just kept. @param {import("../main.js").App} app */
export function receiptView(app) {
  const receipt = app.receipts.find(({ record }) => record.id === app.receipt);
  const stored = app.stored.find(({ id }) => id === app.receipt);
  const toNext = once(() => app.show("sell"));
  const next = h("button", { class: "primary pay", id: "next", onclick: toNext }, tr("Next customer"));
  if (!receipt || !stored) return [h("h1", {}, tr("The sale was taken out")), next];
  const { payment } = receipt.record.body;
  const until = stored.kept_at + stored.hold;
  const undo = h("button", { id: "undo", class: "danger", onclick: once(() => undone(app, stored.seq)) });
  const count = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    const canUndo = left > 0 && isHeld(stored, Date.now()) && app.stored.at(-1)?.id === stored.id;
    undo.hidden = !canUndo;
    undo.textContent = tr("Undo ({left} s)", { left });
    if (canUndo) setTimeout(() => undo.isConnected && count(), 250);
  };
  count();
  return [
    notice("good", h("p", {}, h("strong", {}, tr("The sale is kept on this device.")))),
    payment.kind === "cash" &&
      h("p", { class: "change big" }, tr("Change: {change:rupiah}", { change: payment.change_rupiah })),
    h("div", { class: "actions" }, next, undo),
    paper(app, receipt),
    printButtons(),
  ].filter(Boolean);
}

/** @param {import("../main.js").App} app @param {number} seq */
async function undone(app, seq) {
  if (await app.record(() => app.till.undo(seq, "")))
    app.show("sell", { kind: "good", text: tr("The sale was taken out. Its number stays.") });
}

/** A receipt as the customer sees it. @param {import("../main.js").App} app
 * @param {import("../ledger.js").KnownReceipt} receipt */
export function paper(app, { record, lines, net }) {
  const { body } = record;
  const { kind, reference, given_rupiah: given, change_rupiah: change } = body.payment;
  const time = `${dayOf(body.sold_at, app.zone)} ${timeOfDay(body.sold_at, app.zone)}`;
  return h(
    "section",
    { class: "paper", "aria-label": tr("Receipt") },
    h("h1", {}, app.booth.name ?? body.booth),
    h("p", {}, tr("Receipt {number} · till {till} · {time}", { number: record.seq, till: body.till, time })),
    h(
      "table",
      {},
      h(
        "thead",
        { class: "visually-hidden" },
        h("tr", {}, h("th", { scope: "col" }, tr("Goods")), h("th", { scope: "col" }, tr("Sum"))),
      ),
      h(
        "tbody",
        {},
        goodsOf(app, lines),
      ),
      h(
        "tfoot",
        {},
        h("tr", {}, h("th", { scope: "row" }, tr("Sum")), h("td", { class: "number" }, h("strong", {}, rupiah(net)))),
      ),
    ),
    h("p", {}, `${kindOf(kind)} ${reference}`),
    given === null ? null : h("p", {}, tr("Given {given:rupiah}, change {change:rupiah}", { given, change })),
    // Another till finds the receipt by it.
    qrPicture(record.id, tr("QR code of receipt {number}", { number: record.seq })),
    h("p", { class: "muted" }, h("code", {}, record.id)),
  );
}

/** The lines of a receipt as rows. @param {import("../main.js").App} app
 * @param {import("../ledger.js").KnownLine[]} lines */
export function goodsOf(app, lines) {
  return lines.map(({ qty, product, net, voided }) =>
    h(
      "tr",
      {},
      h(
        "td",
        {},
        `${thousands(qty)} × ${nameOf(app, product)}`,
        voided ? h("span", { class: "muted" }, ` ${tr("{voided:thousands} void", { voided })}`) : null,
      ),
      h("td", { class: "number" }, rupiah(net)),
    ),
  );
}

/** Print on a roll of paper. Its width is chosen by the button. */
export function printButtons() {
  const button = (/** @type {string} */ width) => {
    const onclick = () => {
      document.documentElement.dataset.paper = width;
      print();
    };
    return h("button", { id: `print-${width}`, onclick }, tr("Print, {width} mm", { width }));
  };
  return h("div", { class: "actions" }, button("58"), button("80"));
}
