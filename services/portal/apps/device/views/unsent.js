import { h, notice, once } from "../dom.js";
import { timeOfDay } from "../shown.js";
import { cloudEvent, recordedOf } from "../spool.js";
import { tr } from "../words.js";

/** What is only on this device, and why. @param {import("../app.js").DeviceApp} app */
export function unsentView(app) {
  const rows = app.unsent.map((stored) =>
    h(
      "li",
      { class: "card" },
      h("p", {}, h("strong", {}, app.textOf(recordedOf(stored)))),
      h(
        "p",
        { class: "muted" },
        `${stored.seq} · ${timeOfDay(stored.kept_at, app.zone)} · ${
          stored.state === "refused" && stored.refusal ? reason(stored.refusal) : tr("to send")
        }`,
      ),
    ),
  );
  return [
    h("h1", {}, rows.length ? tr("Not sent yet") : tr("All sent")),
    h(
      "p",
      { class: "lead" },
      rows.length
        ? tr("These records are only on this device. They are sent by themselves.")
        : tr("The services have every record of this device."),
    ),
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
    rows.length > 0 && h("ul", { class: "cards" }, rows),
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
