import { field, h, once } from "../dom.js";
import { tr } from "../words.js";

/** A code makes this device a till or a terminal. @param {import("../app.js").DeviceApp} app */
export function setupView(app) {
  const { enrolment: former, says } = app;
  const enrol = once(async () => {
    const value = (/** @type {string} */ id) => {
      const input = /** @type {HTMLInputElement} */ (document.getElementById(id));
      return input.value.trim();
    };
    const [code, name] = [value("code"), former?.name ?? value("name")];
    if (!code || !name) return;
    try {
      await app.session.enrol(code, name);
    } catch (fault) {
      app.failed(fault);
      return;
    }
    await app.keepStorage();
    await app.refresh();
    app.show(app.home);
    app.syncSoon(0);
  });
  return [
    h("h1", {}, says.enrol),
    former && h("p", {}, tr("This device stays {name} of {scope}, and gets another key.", { ...former })),
    h("p", { class: "lead" }, says.code),
    h(
      "form",
      { class: "stack narrow", onsubmit: enrol },
      field(tr("Code"), { id: "code", required: true, autocapitalize: "none", spellcheck: "false" }),
      former
        ? null
        : field(says.name, { id: "name", value: says.firstName, required: true, maxlength: 40 }, says.nameHint),
      h("button", { class: "primary", id: "enrol" }, tr("Set up")),
    ),
  ].filter(Boolean);
}
