import { h, notice, once } from "../dom.js";
import { recordName, timeOfDay } from "../shown.js";
import { cloudEvent, kindOf } from "../spool.js";
import { tr } from "../words.js";

/** What is only on this device, and why. @param {import("../app.js").DeviceApp} app */
export function unsentView(app) {
  const rows = app.unsent.map(({ seq, headers, kept_at, state, refusal }) =>
    h(
      "tr",
      {},
      h("td", { class: "number" }, seq),
      h("td", {}, recordName(kindOf(headers))),
      h("td", {}, timeOfDay(kept_at, app.zone)),
      h("td", {}, state === "refused" && refusal ? reason(refusal) : tr("to send")),
    ),
  );
  const columns = [tr("Number"), tr("Record"), tr("Time"), tr("Standing")];
  return [
    h("h1", {}, tr("Not sent yet")),
    h("p", { class: "lead" }, tr("These records are only on this device. They are sent by themselves.")),
    app.fault &&
      notice(
        "warn",
        h("p", {}, app.fault),
        app.line === "refused" &&
          h("button", { id: "set-up", onclick: () => app.show("setup") }, tr("Set up again with a code")),
      ),
    !app.persists &&
      h(
        "p",
        { class: "muted" },
        tr("This browser may empty its storage when space is short. Install this app on the home screen."),
      ),
    h(
      "div",
      { class: "actions" },
      h("button", { id: "sync-now", class: "primary", onclick: once(() => app.sync()) }, tr("Send now")),
      h("button", { id: "export", disabled: !rows.length, onclick: once(() => save(app)) }, tr("Save to a file")),
    ),
    rows.length
      ? h(
          "div",
          { class: "table", tabindex: 0, role: "region", "aria-label": tr("Not sent yet") },
          h(
            "table",
            {},
            h("thead", {}, h("tr", {}, columns.map((text) => h("th", { scope: "col" }, text)))),
            h("tbody", {}, rows),
          ),
        )
      : h("div", { class: "empty" }, h("p", { class: "empty-title" }, tr("All sent"))),
  ].filter(Boolean);
}

/** @param {import("../spool.js").Refusal} refusal */
function reason({ status, template, values, message }) {
  const why = template ? tr(template, values ?? {}) : message;
  // The gateway has it, and an operator decides.
  return status === "held" ? tr("held: {why}", { why }) : tr("not taken: {why}", { why });
}

/** The unsent records as one request of the gateway: `application/cloudevents-batch+json`.
 * @param {import("../app.js").DeviceApp} app */
async function save(app) {
  const events = (await app.spool.offerAll()).map(cloudEvent);
  const blob = new Blob([JSON.stringify(events)], { type: "application/cloudevents-batch+json" });
  const address = URL.createObjectURL(blob);
  const { enrolment } = app;
  h("a", { href: address, download: `${enrolment?.scope}.${enrolment?.name}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
