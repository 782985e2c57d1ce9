import { h, notice, once } from "../../device/dom.js";
import { isHeld } from "../../device/spool.js";
import { tr } from "../../device/words.js";
import { badgeOf, recordText, refusalText, standingText } from "../sentences.js";

/** What was kept a moment ago, and what becomes of it. @param {import("../main.js").TerminalApp} app */
export function keptView(app) {
  const reports = app.reports.filter(({ record }) => app.last.includes(record.seq));
  const lots = reports.flatMap(({ record, lot }) => (lot && record.kind === "ProductionReported" ? [lot] : []));
  const [first] = reports;
  const next = h("button", { class: "primary big", id: "next", onclick: once(() => app.show("choose")) }, tr("Next"));
  if (!first) return [h("h1", {}, tr("What was made?")), next];
  const isTakenOut = first.standing === "taken out";
  return [
    h("h1", {}, headingOf(reports.map(({ standing }) => standing))),
    h(
      "ul",
      { class: "inbox" },
      reports.map((report) =>
        h(
          "li",
          {},
          h("strong", {}, recordText(app, report.record)),
          h("span", { class: badgeOf(report) }, standingText(report)),
          report.refusal && h("p", { class: "error" }, refusalText(report.refusal)),
        ),
      ),
    ),
    h(
      "div",
      { class: "actions" },
      next,
      !isTakenOut && undoButton(app),
      lots.length > 0 && h("button", { id: "labels", onclick: () => print(app, lots) }, tr("Labels")),
    ),
    reports.some(({ standing }) => standing === "to send") && app.line === "cut"
      ? notice("offline", h("p", {}, tr("There is no connection. It is sent by itself when it is back.")))
      : null,
  ].filter(Boolean);
}

/** @param {import("../reports.js").Standing[]} standings */
function headingOf(standings) {
  if (standings.includes("taken out")) return tr("Taken out");
  if (standings.includes("rejected") || standings.includes("not taken")) return tr("Refused");
  return standings.every((standing) => standing === "accepted") ? tr("Accepted") : tr("Kept on this device");
}

/** @param {import("../main.js").TerminalApp} app @param {string[]} lots */
function print(app, lots) {
  [app.labels, app.copies] = [lots, null];
  app.show("labels");
}

/** @param {import("../main.js").TerminalApp} app */
function undoButton(app) {
  const stored = app.stored.filter(({ seq }) => app.last.includes(seq));
  const until = Math.min(...stored.map(({ kept_at, hold }) => kept_at + hold));
  const button = h("button", { id: "undo", class: "danger", onclick: once(() => app.takeOut(app.last)) });
  const count = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    const canUndo = left > 0 && stored.every((record) => isHeld(record, Date.now()));
    button.hidden = !canUndo;
    button.textContent = tr("Undo ({left} s)", { left });
    if (canUndo) setTimeout(() => button.isConnected && count(), 250);
  };
  count();
  return button;
}
