import { h, once } from "../../device/dom.js";
import { timeOfDay } from "../../device/shown.js";
import { tr } from "../../device/words.js";
import { dayIn } from "../days.js";
import { badgeOf, dayText, recordText, refusalText, standingText } from "../sentences.js";

const MOST = 100;

/** What became of each record. @param {import("../main.js").TerminalApp} app */
export function recordsView(app) {
  const refused = app.reports.filter(({ standing }) => standing === "rejected").length;
  const { open } = app;
  const shown = (app.showsAll ? app.reports : app.reports.filter(needsEyes)).slice(-MOST).reverse();
  const lead = open.length
    ? tr("{open:record waits|records wait} for an answer.", { open: open.length })
    : tr("Every record is answered.");
  return [
    h("h1", {}, tr("What became of the records?")),
    h("p", { class: "lead" }, refused ? `${lead} ${tr("{refused:record was|records were} refused.", { refused })}` : lead),
    h(
      "button",
      { id: "all", onclick: () => toggle(app) },
      app.showsAll ? tr("Show open ones alone") : tr("Show accepted ones too"),
    ),
    shown.length
      ? h("ul", { class: "inbox" }, shown.map((report) => row(app, report)))
      : h("div", { class: "empty" }, h("p", { class: "empty-title" }, tr("Nothing is open"))),
  ];
}

/** @param {import("../main.js").TerminalApp} app */
function toggle(app) {
  app.showsAll = !app.showsAll;
  app.render(true);
}

/** @param {import("../reports.js").Report} report */
function needsEyes({ standing }) {
  return standing !== "accepted" && standing !== "taken out";
}

/** @param {import("../main.js").TerminalApp} app @param {import("../reports.js").Report} report */
function row(app, report) {
  const { record, standing, lot, refusal } = report;
  const { body, kept_at, seq } = record;
  const time = `${dayText(dayIn(new Date(kept_at), app.zone))} ${timeOfDay(kept_at, app.zone)}`;
  const open = () => {
    app.lot = lot;
    app.show("lot");
  };
  const isGoods = record.kind === "ProductionReported";
  const canTakeOut = standing === "to send" && seq > app.offered;
  const takeOut = once(() => app.takeOut([seq]));
  return h(
    "li",
    { class: ["rejected", "not taken", "held"].includes(standing) ? "urgent" : null },
    h(
      "div",
      {},
      h("strong", {}, recordText(app, record)),
      h(
        "p",
        { class: "muted" },
        isGoods ? `${tr("Made {day}", { day: dayText(body.made_on) })} · ${time}` : time,
      ),
    ),
    h("span", { class: badgeOf(report) }, standingText(report)),
    refusal && h("p", { class: "error whole" }, refusalText(refusal)),
    standing === "rejected" &&
      isGoods &&
      h("button", { id: `repeat-${seq}`, onclick: () => app.enterAgain(body) }, tr("Enter again")),
    canTakeOut && h("button", { id: `take-out-${seq}`, onclick: takeOut }, isGoods ? tr("Change") : tr("Take out")),
    lot && h("button", { id: `open-${seq}`, onclick: open }, tr("Open the lot")),
  );
}
