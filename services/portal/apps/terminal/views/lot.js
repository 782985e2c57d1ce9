import { field, h, notice, once } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { isOpen, unknownLot } from "../reports.js";
import { dayText, nameOf, piecesText, recordText, standingText } from "../sentences.js";
import { spoilsOn } from "../catalogue.js";
import { typedWhole } from "../typed.js";

/** @typedef {import("../main.js").TerminalApp} App */

/** The lot as this terminal knows it. @param {App} app @param {string} id @returns {import("../reports.js").Lot} */
export function lotOf(app, id) {
  return app.lots.find(({ lot }) => lot === id) ?? unknownLot(id);
}

/** One lot, and what can be done about it. @param {App} app */
export function lotView(app) {
  if (!app.lot) return [h("h1", {}, tr("Which lot?"))];
  const lot = lotOf(app, app.lot);
  const { lot: id, product, made_on, recorded, recalled, withdrawn } = lot;
  const until = lot.best_before ?? spoilsOn(app.catalogue.products.get(product), made_on);
  const waiting = app.reports.filter((report) => report.record.body.lot === id && isOpen(report));
  const print = () => {
    [app.labels, app.copies] = [[id], null];
    app.show("labels");
  };
  return [
    h("h1", {}, nameOf(app, product)),
    h("p", { class: "lead" }, h("code", {}, id)),
    withdrawn && notice("bad", h("p", {}, tr("The report of this lot was withdrawn: there is no such lot."))),
    recalled && notice("bad", h("p", {}, tr("This lot is recalled: it must not be sold anywhere."))),
    h(
      "dl",
      { class: "figures" },
      figure(tr("Pieces"), recorded === null ? tr("recorded at another terminal") : piecesText(app, product, recorded)),
      figure(tr("Made on"), dayText(made_on)),
      until && figure(tr("Best before"), dayText(until)),
    ),
    waiting.map((report) =>
      notice("warn", h("p", {}, `${recordText(app, report.record)}: ${standingText(report)}`)),
    ),
    !withdrawn && [
      !recalled &&
        h("div", { class: "actions" }, h("button", { class: "primary", id: "labels", onclick: print }, tr("Labels"))),
      correction(app, id),
      recalled ? lifting(app, id) : recall(app, id),
      withdrawal(app, id),
    ],
    h("div", { class: "actions" }, h("button", { id: "back", onclick: () => app.show("lots") }, tr("All lots"))),
  ].flat(2).filter(Boolean);
}

/** @param {string} name @param {string} value */
function figure(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

/** @param {string} id */
function valueOf(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id)).value.trim();
}

/** @param {App} app @param {string} text */
function refuse(app, text) {
  app.notice = { kind: "bad", text };
  app.render();
  document.getElementById("notices")?.scrollIntoView();
}

/** A part of the page that is opened by a tap, so that nothing is recorded by accident.
 * @param {App} app @param {string} id @param {string} title @param {string} hint @param {() => unknown} act
 * @param {any[]} parts @param {string} button */
function action(app, id, title, hint, act, parts, button) {
  return h(
    "details",
    { id, open: app.part === id, ontoggle: (/** @type {any} */ { target }) => toggled(app, id, target.open) },
    h("summary", {}, title),
    h(
      "form",
      { class: "stack narrow", novalidate: true, onsubmit: once(act) },
      h("p", { class: "hint" }, hint),
      parts,
      h("button", { id: `keep-${id}`, class: id === "correct" || id === "lift" ? "primary" : "danger" }, button),
    ),
  );
}

/** @param {App} app @param {string} id @param {boolean} isOpen */
function toggled(app, id, isOpen) {
  if (isOpen) app.part = id;
  else if (app.part === id) app.part = null;
}

/** @param {string} id */
function reason(id) {
  return field(tr("Reason"), { id: `${id}-reason`, maxlength: 200 }, tr("In a few words, without names."));
}

/** @param {App} app @param {string} lot */
function correction(app, lot) {
  const radio = (/** @type {string} */ id, /** @type {string} */ text, /** @type {boolean} */ checked) =>
    h(
      "label",
      { class: "choice", for: id },
      h("input", { type: "radio", name: "direction", id, checked }),
      text,
    );
  const keep = () => {
    const pieces = typedWhole(valueOf("change"));
    if (!pieces) return refuse(app, tr("Write how many pieces, as 20 or 1.250."));
    const isFewer = /** @type {HTMLInputElement} */ (document.getElementById("fewer")).checked;
    return app.keep(() => app.terminal.correct(lot, isFewer ? -pieces : pieces, valueOf("correct-reason")));
  };
  return action(
    app,
    "correct",
    tr("Correct the pieces"),
    tr("How many pieces more or fewer the lot has than recorded."),
    keep,
    [
      h("div", { class: "choices" }, radio("fewer", tr("Fewer"), true), radio("more", tr("More"), false)),
      field(tr("Pieces"), { id: "change", inputmode: "numeric", maxlength: 12 }),
      reason("correct"),
    ],
    tr("Record the correction"),
  );
}

/** @param {App} app @param {string} lot */
function recall(app, lot) {
  return action(
    app,
    "recall",
    tr("Recall the lot"),
    tr("The lot leaves every sale, wherever it is. A recall can be lifted."),
    () => app.keep(() => app.terminal.recall(lot, valueOf("recall-reason"))),
    [reason("recall")],
    tr("Recall"),
  );
}

/** @param {App} app @param {string} lot */
function lifting(app, lot) {
  const keep = () => {
    const why = valueOf("lift-reason");
    if (!why) return refuse(app, tr("A recall is lifted only with a reason."));
    return app.keep(() => app.terminal.lift(lot, why));
  };
  return action(
    app,
    "lift",
    tr("Lift the recall"),
    tr("What is still there may be sold again."),
    keep,
    [reason("lift")],
    tr("Lift the recall"),
  );
}

/** @param {App} app @param {string} lot */
function withdrawal(app, lot) {
  return action(
    app,
    "withdraw",
    tr("Withdraw the report"),
    tr("Only for a report by mistake, such as a wrong product. It is refused once pieces are reserved or sent."),
    () => app.keep(() => app.terminal.withdraw(lot, valueOf("withdraw-reason"))),
    [reason("withdraw")],
    tr("Withdraw"),
  );
}
