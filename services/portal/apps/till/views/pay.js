import { rupiah, typedRupiah } from "../../device/amounts.js";
import { field, h, once } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { dueOf, likelyCash, linesOf } from "../basket.js";

/** How the customer pays. @param {import("../main.js").App} app */
export function payView(app) {
  const { lines, price_list } = linesOf(app.basket, app.booth, new Date());
  const due = dueOf(lines);
  const find = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (document.getElementById(id));
  const kind = () => {
    const checked = document.querySelector('input[name="kind"]:checked');
    return /** @type {import("../records.js").PaymentKind} */ (checked?.getAttribute("value") ?? "cash");
  };
  const given = () => (find("given").value.trim() ? typedRupiah(find("given").value) : due);
  const shown = () => {
    const isCash = kind() === "cash";
    find("cash-part").hidden = !isCash;
    find("reference-part").hidden = isCash;
    const handed = given();
    let fault = "";
    if (handed === null) fault = tr("This is no amount.");
    else if (handed < due) fault = tr("{missing:rupiah} too little", { missing: due - handed });
    find("change").textContent = fault || tr("Change: {change:rupiah}", { change: Number(handed) - due });
    find("change").className = fault ? "change error" : "change";
    return !isCash || !fault;
  };
  const keep = once(async () => {
    if (!lines.length || !shown()) return;
    const chosen = kind();
    const handed = find("given").value.trim() ? given() : null;
    const payment =
      chosen === "cash"
        ? { kind: chosen, given_rupiah: handed, change_rupiah: handed === null ? 0 : handed - due }
        : { kind: chosen, reference: find("reference").value.trim() };
    /** @type {{ seq: number, id: string } | null} */
    let kept = null;
    const isKept = await app.record(async () => {
      kept = await app.till.sell({ lines, price_list, payment }, app.booth);
    });
    if (!isKept || !kept) return;
    app.basket = new Map();
    app.receipt = /** @type {{ id: string }} */ (kept).id;
    app.show("receipt");
  });
  const choice = (/** @type {string} */ value, /** @type {string} */ text) =>
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: "radio",
        name: "kind",
        value,
        id: `kind-${value}`,
        checked: value === "cash",
        onchange: shown,
      }),
      text,
    );
  const view = [
    h("h1", {}, tr("Pay {due:rupiah}", { due })),
    h(
      "form",
      { class: "stack narrow", onsubmit: keep },
      h(
        "fieldset",
        { class: "choices" },
        h("legend", {}, tr("Payment")),
        choice("cash", tr("Cash")),
        choice("qris", tr("QRIS, seen")),
        choice("other", tr("Other")),
      ),
      h(
        "div",
        { id: "cash-part" },
        field(tr("Cash given"), { id: "given", inputmode: "numeric", placeholder: rupiah(due), oninput: shown }),
        h(
          "div",
          { class: "actions" },
          likelyCash(due).map((amount) =>
            h(
              "button",
              {
                type: "button",
                id: `cash-${amount}`,
                onclick: () => {
                  find("given").value = String(amount);
                  shown();
                },
              },
              rupiah(amount),
            ),
          ),
        ),
        h("p", { id: "change", class: "change", role: "status" }, tr("Change: {change:rupiah}", { change: 0 })),
      ),
      h(
        "div",
        { id: "reference-part", hidden: true },
        field(
          tr("Reference"),
          { id: "reference", maxlength: 100 },
          tr("The number of the payment, if there is one. The till can't check it."),
        ),
      ),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "primary pay", id: "keep" }, tr("Keep the sale")),
        h("button", { type: "button", id: "back", onclick: () => app.show("sell") }, tr("Back")),
      ),
    ),
  ];
  return view;
}
