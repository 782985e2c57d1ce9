import { canScan } from "../../device/camera.js";
import { field, h } from "../../device/dom.js";
import { labelOf, parseLot } from "../../device/lot.js";
import { tr } from "../../device/words.js";
import { facilityOf } from "../reports.js";
import { dayText, nameOf, piecesText } from "../sentences.js";

const MOST = 50;

/** The facility's lots that this terminal knows. @param {import("../main.js").TerminalApp} app */
export function lotsView(app) {
  const find = (/** @type {Event} */ event) => {
    event.preventDefault();
    findLot(app, /** @type {HTMLInputElement} */ (document.getElementById("label")).value);
  };
  const { lots } = app;
  return [
    h("h1", {}, tr("Which lot?")),
    h("p", { class: "lead" }, tr("Correct, recall or withdraw a lot, or print its labels.")),
    h(
      "form",
      { class: "stack narrow", onsubmit: find },
      field(tr("Lot number"), { id: "label", autocapitalize: "characters", maxlength: 200 }, tr("Type it, or scan the label.")),
      h(
        "div",
        { class: "actions" },
        h("button", { id: "find" }, tr("Open the lot")),
        canScan() && h("button", { type: "button", id: "scan", onclick: () => void app.scan() }, tr("Camera")),
      ),
    ),
    lots.length
      ? h("div", { class: "rows" }, lots.slice(0, MOST).map((lot) => row(app, lot)))
      : h(
          "div",
          { class: "empty" },
          h("p", { class: "empty-title" }, tr("No lot yet")),
          h("p", {}, tr("A record becomes a lot when the services accept it.")),
        ),
    lots.length > MOST && h("p", { class: "muted" }, tr("Older lots open by their number.")),
  ].filter(Boolean);
}

/** Open the lot of a label, or say why it can't be. @param {import("../main.js").TerminalApp} app
 * @param {string} label */
export function findLot(app, label) {
  const found = parseLot(labelOf(label));
  if (found && facilityOf(found.id) === app.enrolment?.scope) return openLot(app, found.id);
  const text = found
    ? tr("This lot was made by another facility; only a terminal there can change it.")
    : tr("This is no lot number: a character is missing or wrong. Please compare it with the label.");
  app.show("lots", { kind: "bad", text });
}

/** @param {import("../main.js").TerminalApp} app @param {string} id */
export function openLot(app, id) {
  app.lot = id;
  app.show("lot");
}

/** @param {import("../main.js").TerminalApp} app @param {import("../reports.js").Lot} lot */
function row(app, { lot, product, made_on, recorded, recalled, withdrawn }) {
  const pieces = recorded === null ? tr("recorded at another terminal") : piecesText(app, product, recorded);
  const standing = withdrawn ? tr("withdrawn") : recalled ? tr("recalled") : null;
  return h(
    "button",
    { class: "row", id: `lot-${lot}`, onclick: () => openLot(app, lot) },
    h("span", { class: "row-name" }, nameOf(app, product), h("code", {}, lot)),
    h("span", {}, `${dayText(made_on)} · ${pieces}`),
    standing && h("span", { class: "badge badge-cancelled" }, standing),
  );
}
