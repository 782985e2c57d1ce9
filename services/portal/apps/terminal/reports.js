/** Each record of this terminal with its standing, and the lots that follow from the answers. Pure. */

/** @typedef {import("../device/spool.js").News} News */
/** @typedef {import("../device/spool.js").State} State */
/** @typedef {import("../device/spool.js").Refusal} Refusal */
/** @typedef {{ seq: number, id: string, kind: string, body: Record<string, any>, state: State,
 *   refusal: Refusal | null, kept_at: number }} Kept a record as the spool has it */
/** @typedef {"to send" | "not taken" | "held" | "sent" | "accepted" | "rejected" | "taken out"} Standing
 *   `held`: it waits for an operator, because this device is revoked */
/** @typedef {{ record: Kept, standing: Standing, lot: string | null, refusal: Refusal | null }} Report
 *   `lot`: of an accepted report. `refusal`: production's, or why the gateway did not take the record. */
/** @typedef {{ lot: string, product: string, made_on: string, best_before: string | null, recorded: number | null,
 *   recalled: boolean, withdrawn: boolean }} Lot `recorded`: pieces with accepted corrections; null if another
 *   terminal reported the lot */

/** @type {Record<State, Standing>} */
const UNANSWERED = { kept: "to send", refused: "not taken", sent: "sent", removed: "taken out" };

/** The reports in the order of recording. `name`: this terminal's; its facility may have others.
 * @param {Kept[]} records @param {News[]} news @param {string} name @returns {Report[]} */
export function reportsOf(records, news, name) {
  /** @type {Map<string, News>} */
  const answers = new Map();
  for (const item of news) {
    const { type, data } = item;
    if (isAnswer(type) && data.terminal === name && !answers.has(data.report)) answers.set(data.report, item);
  }
  return records.map((record) => {
    const answer = answers.get(record.id);
    if (!answer) return { record, standing: unanswered(record), lot: null, refusal: whyNotTaken(record) };
    if (answer.type.startsWith("ReportAccepted."))
      return { record, standing: "accepted", lot: answer.data.lot, refusal: null };
    const { reason, message, template, values } = answer.data;
    return { record, standing: "rejected", lot: null, refusal: { reason, message, template, values } };
  });
}

/** How many records under this terminal's name production has answered that are not among these.
 * @param {Kept[]} records @param {News[]} news @param {string} name */
export function answeredElsewhere(records, news, name) {
  const here = new Set(records.map(({ id }) => id));
  const answered = news.filter(({ type, data }) => isAnswer(type) && data.terminal === name && !here.has(data.report));
  return new Set(answered.map(({ data }) => data.report)).size;
}

/** @param {string} type */
function isAnswer(type) {
  return type.startsWith("ReportAccepted.") || type.startsWith("ReportRejected.");
}

/** @param {Kept} record @returns {Standing} */
function unanswered({ state, refusal }) {
  return state === "refused" && refusal?.status === "held" ? "held" : UNANSWERED[state];
}

/** @param {Kept} record */
function whyNotTaken({ state, refusal }) {
  return state === "refused" ? refusal : null;
}

/** Whether production's answer is still to come. @param {Report} report */
export function isOpen({ standing }) {
  return standing !== "accepted" && standing !== "rejected" && standing !== "taken out";
}

/** The lots that answers name, the newest first. @param {Report[]} reports @param {News[]} news @returns {Lot[]} */
export function lotsOf(reports, news) {
  /** @type {Map<string, Lot>} */
  const lots = new Map();
  for (const { type, data } of news) if (type.startsWith("ReportAccepted.")) lotIn(lots, data.lot);
  for (const { record, lot } of reports) if (lot !== null) apply(lotIn(lots, lot), record);
  return [...lots.values()].sort(newestFirst);
}

/** @param {Lot} one @param {Lot} other */
function newestFirst(one, other) {
  if (one.made_on !== other.made_on) return one.made_on < other.made_on ? 1 : -1;
  return one.lot < other.lot ? 1 : -1;
}

/** @param {Map<string, Lot>} lots @param {string} id @returns {Lot} */
function lotIn(lots, id) {
  const known = lots.get(id);
  if (known) return known;
  const lot = unknownLot(id);
  lots.set(id, lot);
  return lot;
}

/** What the number of a lot says by itself. @param {string} id @returns {Lot} */
export function unknownLot(id) {
  const [, , product, day] = id.split("-");
  const made_on = `20${day.slice(0, 2)}-${day.slice(2, 4)}-${day.slice(4)}`;
  return { lot: id, product, made_on, best_before: null, recorded: null, recalled: false, withdrawn: false };
}

/** The facility in the number of a lot. @param {string} id */
export function facilityOf(id) {
  return id.split("-").slice(0, 2).join("-");
}

/** @param {Lot} lot @param {Kept} record */
function apply(lot, { kind, body }) {
  switch (kind) {
    case "ProductionReported":
      lot.recorded = (lot.recorded ?? 0) + body.qty;
      lot.best_before = body.best_before;
      break;
    case "ProductionCorrected":
      if (lot.recorded !== null) lot.recorded += body.change;
      break;
    case "RecallLot":
      lot.recalled = true;
      break;
    case "LiftRecall":
      lot.recalled = false;
      break;
    case "WithdrawReport":
      [lot.recorded, lot.withdrawn] = [0, true];
      break;
  }
}
