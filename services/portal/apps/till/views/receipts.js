import { rupiah } from "../../device/amounts.js";
import { canScan } from "../../device/camera.js";
import { h } from "../../device/dom.js";
import { timeOfDay } from "../../device/shown.js";
import { tr } from "../../device/words.js";

const SHOWN = 100;

/** The receipts of this till and of the booth's others, the newest first. @param {import("../main.js").App} app */
export function receiptsView(app) {
  const own = app.receipts.slice(0, SHOWN).map(({ record, lines, net }) => {
    const voided = lines.every((line) => line.left === 0);
    const standing = voided ? tr("voided") : record.sent ? tr("sent") : tr("to send");
    const name = `${tr("Receipt {number}", { number: record.seq })} · ${timeOfDay(record.body.sold_at, app.zone)}`;
    return row(app, record.id, `receipt-${record.seq}`, name, net, standing);
  });
  const others = app.others.slice(0, SHOWN).map(({ id, till, sold_at, lines, net }) => {
    const name = `${tr("Till {till}", { till })} · ${timeOfDay(sold_at, app.zone)}`;
    const standing = lines.every((line) => line.left === 0) ? tr("voided") : "";
    return row(app, id, `receipt-${id}`, name, net, standing);
  });
  return [
    h("h1", {}, tr("Receipts")),
    findForm(app),
    own.length
      ? h("ul", { class: "rows" }, own)
      : h("div", { class: "empty" }, h("p", { class: "empty-title" }, tr("No sale yet"))),
    others.length && h("h2", {}, tr("Receipts of other tills")),
    others.length && h("ul", { class: "rows" }, others),
  ].filter(Boolean);
}

/** @param {import("../main.js").App} app @param {string} receipt @param {string} id @param {string} text
 * @param {number} net @param {string} standing */
function row(app, receipt, id, text, net, standing) {
  return h(
    "li",
    {},
    h(
      "button",
      { id, class: "row", onclick: () => app.openReceipt(receipt) },
      h("span", {}, text),
      h("span", { class: "number" }, rupiah(net)),
      standing && h("span", { class: "badge" }, standing),
    ),
  );
}

/** A customer brings a receipt: its QR code, its id or its number. @param {import("../main.js").App} app */
function findForm(app) {
  const find = (/** @type {Event} */ event) => {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (document.getElementById("label"));
    const text = input.value.trim();
    if (text) app.scanned(text);
  };
  return h(
    "form",
    { class: "label-form", onsubmit: find },
    h("label", { for: "label" }, tr("Number or QR code")),
    h("input", { id: "label", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 60 }),
    h("button", { id: "find" }, tr("Find")),
    canScan() && h("button", { type: "button", id: "scan", onclick: () => void app.scan() }, tr("Camera")),
  );
}
