/** What is around every view: the bar with what is not sent, and notices. */
import { h, notice } from "./dom.js";
import { keepLanguage, language, tr } from "./words.js";

const CLOCK_SLACK = 60_000;

/** @typedef {import("./app.js").DeviceApp} DeviceApp */

/** @param {DeviceApp} app */
export function bar(app) {
  const { enrolment, says } = app;
  const count = app.unsent.length;
  const line = {
    unknown: tr("Connecting…"),
    works: tr("Connected"),
    refused: says.refused,
    cut: says.cut,
  }[app.line];
  const place = enrolment ? `${enrolment.name} · ${app.placeName}` : "Karya";
  const unsent =
    enrolment &&
    h(
      "button",
      { id: "unsent", class: `unsent ${count ? "some" : "none"}`, onclick: () => app.show("unsent") },
      count ? tr("{count:record|records} not sent", { count }) : tr("All sent"),
    );
  return h(
    "div",
    { class: "bar" },
    h(
      "div",
      { class: "bar-inner" },
      h("strong", { class: "brand" }, place),
      h("span", { class: `line ${app.line}`, role: "status" }, line),
      unsent,
      h("div", { class: "bar-end" }, languageButton(app)),
    ),
    enrolment && tabs(app),
  );
}

/** @param {DeviceApp} app */
function languageButton(app) {
  /** @type {["id" | "en", string]} */
  const [code, name] = language() === "id" ? ["en", "English"] : ["id", "Indonesia"];
  const choose = () => {
    keepLanguage(code);
    app.render(true);
  };
  return h("button", { class: "plain", id: "language", lang: code, onclick: choose }, name);
}

/** @param {DeviceApp} app */
function tabs(app) {
  const button = (/** @type {[string, string]} */ [view, text]) => {
    const current = app.view === view ? "page" : null;
    return h("button", { id: `tab-${view}`, "aria-current": current, onclick: () => app.show(view) }, text);
  };
  return h("nav", { class: "tabs", "aria-label": tr("Main") }, app.tabs.map(button));
}

/** @param {DeviceApp} app @returns {Element[]} */
export function notices(app) {
  const shown = [];
  if (app.notice) shown.push(notice(app.notice.kind, h("p", {}, app.notice.text)));
  const { lost, lostText } = app;
  if (lost)
    shown.push(
      notice(
        "bad",
        h(
          "p",
          {},
          tr("This browser emptied its storage: records up to number {number} are gone here.", {
            number: lost.number,
          }),
        ),
        lostText && h("p", {}, h("strong", {}, lostText)),
        h("p", {}, tr("Those that were sent are safe. Tell the person who gave the code, and enrol this device anew.")),
        h("button", { id: "read-lost", onclick: () => app.forgetLost() }, tr("I have told that person")),
      ),
    );
  const last = app.stored.at(-1);
  if (last && last.kept_at > Date.now() + CLOCK_SLACK)
    shown.push(notice("warn", h("p", {}, tr("The clock of this device was set back. Please set it."))));
  for (const { kind, text, onRead } of app.warnings)
    shown.push(
      notice(
        kind,
        h("p", {}, text),
        onRead && h("button", { id: "read-warning", onclick: onRead }, tr("I have told that person")),
      ),
    );
  return shown;
}
