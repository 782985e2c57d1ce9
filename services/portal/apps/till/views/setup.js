import { field, h, once } from "../dom.js";
import { tr } from "../words.js";

/** A code of the organiser's makes this device a till. @param {import("../main.js").App} app */
export function setupView(app) {
  const former = app.enrolment;
  const enrol = once(async () => {
    const value = (/** @type {string} */ id) => {
      const input = /** @type {HTMLInputElement} */ (document.getElementById(id));
      return input.value.trim();
    };
    const [code, till] = [value("code"), former?.till ?? value("till")];
    if (!code || !till) return;
    try {
      await app.session.enrol(code, till);
    } catch (fault) {
      app.failed(fault);
      return;
    }
    app.persists = (await navigator.storage?.persist?.()) ?? false;
    await app.refresh();
    app.show("sell");
    app.syncSoon(0);
  });
  return [
    h("h1", {}, tr("Set up this till")),
    former && h("p", {}, tr("This device stays till {till} of {booth}, and gets another key.", { ...former })),
    h("p", { class: "lead" }, tr("The organiser gives you a code. It is good once, for ten minutes.")),
    h(
      "form",
      { class: "stack narrow", onsubmit: enrol },
      field(tr("Code"), { id: "code", required: true, autocapitalize: "none", spellcheck: "false" }),
      former
        ? null
        : field(
            tr("Name of this till"),
            { id: "till", value: "T1", required: true, maxlength: 40 },
            tr("As the booth lists it, such as T1."),
          ),
      h("button", { class: "primary", id: "enrol" }, tr("Set up")),
    ),
  ].filter(Boolean);
}
