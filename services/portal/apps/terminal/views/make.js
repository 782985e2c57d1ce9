import { h, once } from "../../device/dom.js";
import { tr } from "../../device/words.js";
import { spoilsOn } from "../catalogue.js";
import { addDays, isDay } from "../days.js";
import { checked } from "../entries.js";
import { dayText, faultText, nameOf } from "../sentences.js";
import { typedWhole } from "../typed.js";

const STEPS = [1, 5, 10, 50];

/** How many pieces were made, and when. @param {import("../main.js").TerminalApp} app */
export function makeView(app) {
  const { entry } = app;
  if (!entry) return [h("h1", {}, tr("What was made?"))];
  const product = app.catalogue.products.get(entry.product);
  const proposed = isDay(entry.made_on) ? spoilsOn(product, entry.made_on) : null;
  const keep = once(async () => {
    const { goods, fault } = checked(entry, app.catalogue, app.today);
    if (goods) {
      await app.keep(() => app.terminal.record([goods]));
      return;
    }
    app.entryFault = fault;
    app.render(true);
    document.getElementById(fieldOf(fault))?.focus();
  });
  return [
    h("h1", {}, nameOf(app, entry.product)),
    h(
      "form",
      { class: "stack narrow", novalidate: true, onsubmit: keep },
      pieces(app, entry, product?.unit ?? ""),
      days(app, entry),
      proposed && bestBefore(app, entry, proposed, product?.shelf_life_days ?? 0),
      h(
        "div",
        { class: "actions" },
        h("button", { class: "primary big", id: "keep" }, tr("Record it")),
        h("button", { type: "button", id: "back", onclick: () => leave(app) }, tr("Back")),
      ),
    ),
  ];
}

/** @param {import("../main.js").TerminalApp} app */
function leave(app) {
  app.entry = null;
  app.show("choose");
}

/** The field that a fault is about. @param {import("../entries.js").Fault} fault */
function fieldOf({ why }) {
  if (why === "before-made" || why === "beyond-shelf-life") return "best-before";
  return why === "no-day" || why === "in-future" || why === "too-old" ? "made-on" : "qty";
}

/** The fault, if it is of this field. @param {import("../main.js").TerminalApp} app @param {string} field */
function faultAt(app, field) {
  const { entryFault: fault } = app;
  return fault && fieldOf(fault) === field
    ? h("p", { class: "error", id: `${field}-error`, role: "alert" }, faultText(fault))
    : null;
}

/** @param {import("../main.js").TerminalApp} app @param {import("../entries.js").Entry} entry @param {string} unit */
function pieces(app, entry, unit) {
  const error = faultAt(app, "qty");
  const input = h("input", {
    id: "qty",
    class: "qty",
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: 12,
    value: entry.qty,
    "aria-describedby": error && "qty-error",
    oninput: () => (entry.qty = input.value),
  });
  const add = (/** @type {number} */ by) => {
    input.value = entry.qty = String((typedWhole(entry.qty) ?? 0) + by);
  };
  return h(
    "div",
    { class: `field ${error ? "wrong" : ""}` },
    h("label", { for: "qty" }, unit ? tr("How many? ({unit})", { unit }) : tr("How many?")),
    error,
    input,
    h(
      "div",
      { class: "quick" },
      STEPS.map((by) => h("button", { type: "button", id: `add-${by}`, onclick: () => add(by) }, `+${by}`)),
    ),
  );
}

/** @param {import("../main.js").TerminalApp} app @param {import("../entries.js").Entry} entry */
function days(app, entry) {
  const { today } = app;
  const error = faultAt(app, "made-on");
  const choose = (/** @type {string} */ day) => {
    entry.made_on = day;
    app.render(true);
  };
  const choice = (/** @type {string} */ id, /** @type {string} */ day, /** @type {string} */ text) =>
    h(
      "label",
      { class: "choice", for: id },
      h("input", { type: "radio", name: "day", id, checked: entry.made_on === day, onchange: () => choose(day) }),
      text,
    );
  return h(
    "fieldset",
    { class: error ? "wrong" : "" },
    h("legend", {}, tr("Made on")),
    error,
    h(
      "div",
      { class: "choices" },
      choice("today", today, tr("Today")),
      choice("yesterday", addDays(today, -1), tr("Yesterday")),
    ),
    h(
      "div",
      { class: "field below" },
      h("label", { for: "made-on" }, tr("Another day")),
      h("input", {
        id: "made-on",
        type: "date",
        max: today,
        value: entry.made_on,
        "aria-describedby": error && "made-on-error",
        onchange: (/** @type {any} */ { target }) => choose(target.value),
      }),
    ),
  );
}

/** @param {import("../main.js").TerminalApp} app @param {import("../entries.js").Entry} entry
 * @param {string} proposed @param {number} days */
function bestBefore(app, entry, proposed, days) {
  const error = faultAt(app, "best-before");
  return h(
    "div",
    { class: `field ${error ? "wrong" : ""}` },
    h("label", { for: "best-before" }, tr("Best before")),
    h(
      "p",
      { class: "hint", id: "best-before-hint" },
      tr("It keeps for {days:day|days}: until {until}. Choose an earlier day if it is needed.", {
        days,
        until: dayText(proposed),
      }),
    ),
    error,
    h("input", {
      id: "best-before",
      type: "date",
      min: entry.made_on,
      max: proposed,
      value: entry.best_before || proposed,
      "aria-describedby": error ? "best-before-error best-before-hint" : "best-before-hint",
      // The day of the shelf life moves with the day of making.
      onchange: (/** @type {any} */ { target }) => (entry.best_before = target.value === proposed ? "" : target.value),
    }),
  );
}
