import { rupiah, thousands } from "../../device/amounts.js";
import { field, h, notice, once } from "../../device/dom.js";
import { timeOfDay } from "../../device/shown.js";
import { tr } from "../../device/words.js";
import { refundOf } from "../ledger.js";
import { sum } from "../money.js";
import { nameOf } from "../shown.js";
import { paper } from "./receipt.js";

const SHOWN = 100;

/** The receipts of this till, the newest first. @param {import("../main.js").App} app */
export function receiptsView(app) {
  const open = (/** @type {string} */ id) => () => {
    app.receipt = id;
    app.show("void");
  };
  const rows = app.receipts.slice(0, SHOWN).map(({ record, lines, net }) => {
    const voided = lines.every((line) => line.left === 0);
    const standing = voided ? tr("voided") : record.sent ? tr("sent") : tr("to send");
    return h(
      "li",
      {},
      h(
        "button",
        { id: `receipt-${record.seq}`, class: "row", onclick: open(record.id) },
        h(
          "span",
          {},
          `${tr("Receipt {number}", { number: record.seq })} · ${timeOfDay(record.body.sold_at, app.booth.zone)}`,
        ),
        h("span", { class: "number" }, rupiah(net)),
        h("span", { class: "badge" }, standing),
      ),
    );
  });
  return [
    h("h1", {}, tr("Receipts")),
    rows.length
      ? h("ul", { class: "rows" }, rows)
      : h("div", { class: "empty" }, h("p", { class: "empty-title" }, tr("No sale yet"))),
  ];
}

/** Goods that come back: pieces of a receipt are voided. @param {import("../main.js").App} app */
export function voidView(app) {
  const receipt = app.receipts.find(({ record }) => record.id === app.receipt);
  if (!receipt) return receiptsView(app);
  const left = receipt.lines.filter((line) => line.left > 0);
  const find = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (document.getElementById(id));
  const typed = (/** @type {import("../ledger.js").KnownLine} */ { line, left }) => {
    const pieces = Math.floor(Number(find(`back-${line}`).value) || 0);
    return Math.max(0, Math.min(left, pieces));
  };
  const chosen = () => left.map((line) => ({ line, qty: typed(line) })).filter(({ qty }) => qty > 0);
  const shown = () => {
    const refund = sum(chosen().map(({ line, qty }) => refundOf(line, qty)));
    find("refund").textContent = tr("Pay back {refund:rupiah}", { refund });
    return refund;
  };
  const record = once(async () => {
    const lines = chosen().map(({ line, qty }) => ({ line: line.line, qty }));
    if (!lines.length) return;
    const refund_rupiah = shown();
    const reason = find("reason").value.trim();
    const made = { receipt: receipt.record.id, lines, refund: receipt.paid, refund_rupiah, reason };
    if (await app.record(() => app.till.voidPieces(made)))
      app.show("receipts", { kind: "good", text: tr("Kept. Pay back {refund:rupiah}.", { refund: refund_rupiah }) });
  });
  const whole = sum(left.map((line) => refundOf(line, line.left)));
  return [
    h("p", {}, h("button", { id: "back", onclick: () => app.show("receipts") }, tr("Back"))),
    paper(app, receipt),
    h("h2", {}, tr("Take goods back")),
    left.length
      ? h(
          "form",
          { class: "stack narrow", onsubmit: record },
          left.map(({ line, product, left }) =>
            field(tr("Pieces of {product}, at most {left:thousands}", { product: nameOf(app, product), left }), {
              id: `back-${line}`,
              type: "number",
              min: 0,
              max: left,
              value: left,
              oninput: shown,
            }),
          ),
          field(tr("Reason"), { id: "reason", maxlength: 200 }),
          h(
            "p",
            { id: "refund", class: "change", role: "status" },
            tr("Pay back {refund:rupiah}", { refund: whole }),
          ),
          h("button", { class: "danger", id: "void" }, tr("Void")),
        )
      : notice("warn", h("p", {}, tr("All of this receipt is void already."))),
  ];
}
