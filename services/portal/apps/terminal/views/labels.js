import { h, notice } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { spoilsOn } from "../catalogue.js";
import { dayText, nameOf } from "../sentences.js";
import { typedWhole } from "../typed.js";
import { qrDrawing } from "./code.js";
import { lotOf } from "./lot.js";

/** @typedef {"sheet" | "strip"} Paper `sheet`: A4 with 24 labels; `strip`: 58 mm wide, a label on each piece */

const MOST = 480;
const IN_DOUBT = 24;

/** Labels of lots to print. The screen shows one of each lot. @param {import("../main.js").TerminalApp} app */
export function labelsView(app) {
  const lots = app.labels.map((id) => lotOf(app, id)).filter(({ withdrawn, recalled }) => !withdrawn && !recalled);
  if (!lots.length) return [h("h1", {}, tr("Labels")), h("p", {}, tr("There is no lot to print labels of."))];
  const copiesOf = (/** @type {import("../reports.js").Lot} */ { recorded }) =>
    Math.min(app.copies ?? recorded ?? IN_DOUBT, MOST);
  const count = lots.reduce((sum, lot) => sum + copiesOf(lot), 0);
  const choosePaper = (/** @type {Paper} */ paper) => {
    app.paper = paper;
    app.render(true);
  };
  const chooseCopies = (/** @type {any} */ { target }) => {
    app.copies = typedWhole(target.value);
    app.render(true);
  };
  const choice = (/** @type {Paper} */ paper, /** @type {string} */ text) =>
    h(
      "label",
      { class: "choice", for: paper },
      h("input", {
        type: "radio",
        name: "paper",
        id: paper,
        checked: app.paper === paper,
        onchange: () => choosePaper(paper),
      }),
      text,
    );
  return [
    h("h1", {}, tr("Labels")),
    h("p", { class: "lead" }, tr("{count:label|labels} to print.", { count })),
    h(
      "form",
      { class: "stack narrow", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
      h(
        "fieldset",
        {},
        h("legend", {}, tr("Paper")),
        h("div", { class: "choices" }, choice("sheet", tr("A4 sheets")), choice("strip", tr("Roll of 58 mm"))),
      ),
      h(
        "div",
        { class: "field" },
        h("label", { for: "copies" }, tr("Labels of each lot")),
        h("p", { class: "hint", id: "copies-hint" }, tr("Left empty: one for each piece.")),
        h("input", {
          id: "copies",
          inputmode: "numeric",
          autocomplete: "off",
          maxlength: 5,
          value: app.copies ?? "",
          "aria-describedby": "copies-hint",
          onchange: chooseCopies,
        }),
      ),
    ),
    h("div", { class: "actions" }, h("button", { class: "primary big", id: "print", onclick: () => print() }, tr("Print"))),
    lots.some((lot) => (app.copies ?? lot.recorded ?? 0) > MOST) &&
      notice("warn", h("p", {}, tr("At most {most} labels of a lot are printed at once.", { most: MOST }))),
    h(
      "div",
      { class: `labels ${app.paper}` },
      lots.map((lot) => copies(label(app, lot), copiesOf(lot))),
    ),
  ]
    .flat()
    .filter(Boolean);
}

/** A label and its copies, which are there on paper alone. @param {Element} first @param {number} count */
function copies(first, count) {
  return Array.from({ length: count }, (_, index) => {
    if (index === 0) return first;
    const copy = /** @type {Element} */ (first.cloneNode(true));
    copy.classList.add("copy");
    copy.setAttribute("aria-hidden", "true");
    return copy;
  });
}

/** @param {import("../main.js").TerminalApp} app @param {import("../reports.js").Lot} lot @returns {Element} */
function label(app, { lot, product, made_on, best_before }) {
  const until = best_before ?? spoilsOn(app.catalogue.products.get(product), made_on);
  return h(
    "section",
    { class: "label", "aria-label": lot },
    // The page of the lot for everybody.
    qrDrawing(`${location.origin}/public/lots/${lot}`),
    h("p", { class: "label-product" }, nameOf(app, product)),
    h("p", {}, app.placeName),
    h("p", {}, tr("Made {day}", { day: dayText(made_on) })),
    until && h("p", {}, tr("Best before {day}", { day: dayText(until) })),
    h("p", { class: "label-lot" }, lot),
  );
}
