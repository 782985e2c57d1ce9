import { rupiah, typedRupiah } from "../../device/amounts.js";
import { field, h, notice, once } from "../../device/dom.js";
import { timeOfDay } from "../../device/shown.js";
import { tr } from "../../device/words.js";
import { refundOf } from "../ledger.js";
import { sum } from "../money.js";
import { kindOf, nameOf } from "../shown.js";
import { goodsOf, paper } from "./receipt.js";

/** @typedef {import("../ledger.js").KnownLine} KnownLine */
/** @typedef {import("../records.js").PaymentKind} PaymentKind */

/** @type {PaymentKind[]} */
const KINDS = ["cash", "qris", "other"];

/** Goods that come back: a receipt is voided as a whole or by line. It may be one of another till of the booth.
 * @param {import("../main.js").App} app */
export function voidView(app) {
  const id = app.receipt ?? "";
  const own = app.receipts.find(({ record }) => record.id === id);
  const other = app.others.find((receipt) => receipt.id === id);
  const lines = own?.lines ?? other?.lines ?? null;
  const shown = own ? paper(app, own) : other ? otherPaper(app, other) : unknownPaper(id);
  return [
    h("p", {}, h("button", { id: "back", onclick: () => app.show("receipts") }, tr("Back"))),
    shown,
    h("h2", {}, tr("Take goods back")),
    lines ? knownForm(app, id, lines, own?.paid ?? "cash") : unknownForm(app, id),
  ];
}

/** @param {import("../main.js").App} app @param {import("../ledger.js").OtherReceipt} receipt */
function otherPaper(app, { id, till, sold_at, lines, net }) {
  return h(
    "section",
    { class: "paper", "aria-label": tr("Receipt") },
    h("h1", {}, app.placeName),
    h("p", {}, `${tr("Till {till}", { till })} · ${timeOfDay(sold_at, app.zone)}`),
    h("table", {}, h("tbody", {}, goodsOf(app, lines))),
    h("p", {}, h("strong", {}, rupiah(net))),
    h("p", { class: "muted" }, h("code", {}, id)),
  );
}

/** @param {string} id */
function unknownPaper(id) {
  return h(
    "section",
    { class: "paper", "aria-label": tr("Receipt") },
    h("p", {}, h("code", {}, id)),
    h("p", {}, tr("This till does not know the receipt yet. Read its lines on the paper.")),
  );
}

/** @param {PaymentKind} paid */
function refundChoice(paid) {
  return h(
    "fieldset",
    { class: "choices" },
    h("legend", {}, tr("Paid back by")),
    KINDS.map((kind) =>
      h(
        "label",
        { class: "choice" },
        h("input", { type: "radio", name: "refund", value: kind, id: `refund-${kind}`, checked: kind === paid }),
        kindOf(kind),
      ),
    ),
  );
}

/** @param {string} id */
function input(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id));
}

/** The number of the last record that this page knows. @param {import("../main.js").App} app */
function lastOf(app) {
  return app.records.at(-1)?.seq ?? 0;
}

/** @returns {PaymentKind} */
function refundKind() {
  const checked = document.querySelector('input[name="refund"]:checked');
  return /** @type {PaymentKind} */ (checked?.getAttribute("value") ?? "cash");
}

/** @param {import("../main.js").App} app @param {Parameters<import("../till.js").Till["voidPieces"]>[0]} made
 * @param {number} seen */
async function keep(app, made, seen) {
  const refund = made.refund_rupiah;
  if (await app.record(() => app.till.voidPieces(made, seen)))
    app.show("receipts", { kind: "good", text: tr("Kept. Pay back {refund:rupiah}.", { refund }) });
}

/** @param {import("../main.js").App} app @param {string} receipt @param {KnownLine[]} lines
 * @param {PaymentKind} paid */
function knownForm(app, receipt, lines, paid) {
  const left = lines.filter((line) => line.left > 0);
  const seen = lastOf(app);
  if (!left.length) return notice("warn", h("p", {}, tr("All of this receipt is void already.")));
  const typed = (/** @type {KnownLine} */ { line, left }) => {
    const pieces = Math.floor(Number(input(`back-${line}`).value) || 0);
    return Math.max(0, Math.min(left, pieces));
  };
  const chosen = () => left.map((line) => ({ line, qty: typed(line) })).filter(({ qty }) => qty > 0);
  const shown = () => {
    const refund = sum(chosen().map(({ line, qty }) => refundOf(line, qty)));
    input("refund").textContent = tr("Pay back {refund:rupiah}", { refund });
    return refund;
  };
  const fill = (/** @type {(line: KnownLine) => number} */ pieces) => () => {
    for (const line of left) input(`back-${line.line}`).value = String(pieces(line));
    shown();
  };
  const record = once(async () => {
    const voided = chosen().map(({ line, qty }) => ({ line: line.line, qty }));
    if (!voided.length) return app.failed(tr("No piece is chosen."));
    const reason = input("reason").value.trim();
    await keep(app, { receipt, lines: voided, refund: refundKind(), refund_rupiah: shown(), reason }, seen);
  });
  const whole = sum(left.map((line) => refundOf(line, line.left)));
  return h(
    "form",
    { class: "stack narrow", onsubmit: record },
    left.length > 1 &&
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", id: "whole", onclick: fill((line) => line.left) }, tr("The whole receipt")),
        h("button", { type: "button", id: "none", onclick: fill(() => 0) }, tr("Choose by line")),
      ),
    left.map(({ line, product, left }) =>
      field(tr("Pieces of {product}, at most {left:thousands}", { product: nameOf(app, product), left }), {
        id: `back-${line}`,
        type: "number",
        inputmode: "numeric",
        min: 0,
        max: left,
        value: left,
        oninput: shown,
      }),
    ),
    refundChoice(paid),
    field(tr("Reason"), { id: "reason", maxlength: 200 }),
    h("p", { id: "refund", class: "change", role: "status" }, tr("Pay back {refund:rupiah}", { refund: whole })),
    h("button", { class: "danger", id: "void" }, tr("Void")),
  );
}

/** A receipt that only its paper tells of: one line of it, and the sum as the paper says.
 * @param {import("../main.js").App} app @param {string} receipt */
function unknownForm(app, receipt) {
  const seen = lastOf(app);
  const record = once(async () => {
    const [line, qty] = [input("line").value, input("pieces").value].map(Number);
    const refund_rupiah = typedRupiah(input("sum").value);
    if (refund_rupiah === null) return app.failed(tr("This is no amount."));
    const isWhole = [line, qty].every((number) => Number.isInteger(number) && number > 0);
    if (!isWhole) return app.failed(tr("Pieces are whole numbers."));
    const reason = input("reason").value.trim();
    await keep(app, { receipt, lines: [{ line, qty }], refund: refundKind(), refund_rupiah, reason }, seen);
  });
  return h(
    "form",
    { class: "stack narrow", onsubmit: record },
    field(tr("Line of the receipt"), { id: "line", type: "number", min: 1, value: 1, required: true }),
    field(tr("Pieces"), { id: "pieces", type: "number", min: 1, value: 1, required: true }),
    field(tr("Amount to pay back"), { id: "sum", inputmode: "numeric", required: true }),
    refundChoice("cash"),
    field(tr("Reason"), { id: "reason", maxlength: 200 }),
    h("button", { class: "danger", id: "void" }, tr("Void")),
  );
}
