/** The terminal: what it knows of its facility and its records, and its views. */
import { DeviceApp } from "../device/app.js";
import { Camera } from "../device/camera.js";
import { setupView } from "../device/views/setup.js";
import { unsentView } from "../device/views/unsent.js";
import { tr } from "../device/words.js";
import { catalogueOf } from "./catalogue.js";
import { dayIn } from "./days.js";
import { answeredElsewhere, isOpen, lotsOf, reportsOf } from "./reports.js";
import { recordText } from "./sentences.js";
import { HABITS, Terminal } from "./terminal.js";
import { chooseView } from "./views/choose.js";
import { keptView } from "./views/kept.js";
import { labelsView } from "./views/labels.js";
import { lotView } from "./views/lot.js";
import { findLot, lotsView } from "./views/lots.js";
import { makeView } from "./views/make.js";
import { recordsView } from "./views/records.js";
import { tableView } from "./views/table.js";

const VIEWS = {
  setup: setupView,
  choose: chooseView,
  make: makeView,
  kept: keptView,
  table: tableView,
  records: recordsView,
  lots: lotsView,
  lot: lotView,
  labels: labelsView,
  unsent: unsentView,
};
// Production answers within a second or two. Who waits for a lot number asks soon, and less often later.
const SOON = 1500;
// How many records that are not here a person has told on.
const TOLD = "karya-terminal-told";
const FEW = 10;

export class TerminalApp extends DeviceApp {
  terminal = new Terminal(this.spool);
  catalogue = catalogueOf([]);
  /** @type {import("./reports.js").Report[]} */ reports = [];
  /** @type {import("./reports.js").Lot[]} */ lots = [];
  /** What somebody enters. @type {import("./entries.js").Entry | null} */ entry = null;
  /** @type {import("./entries.js").Fault | null} */ entryFault = null;
  /** @type {import("./views/table.js").Table | null} */ table = null;
  /** The numbers of the records that were kept last. @type {number[]} */ last = [];
  /** The highest number that a sync has begun to send. */ offered = 0;
  /** The lot that is looked at. @type {string | null} */ lot = null;
  /** What is open on the page of the lot: it stays open when the page is shown anew. @type {string | null} */
  part = null;
  /** The lots whose labels are printed. @type {string[]} */ labels = [];
  /** @type {import("./views/labels.js").Paper} */ paper = "sheet";
  /** @type {number | null} labels of each lot, if somebody has chosen */ copies = null;
  /** Whether records that are done are shown too. */ showsAll = false;
  /** What the products' names must contain. */ filter = "";
  camera = new Camera();
  /** How many records under this name the services have that are not here. */ elsewhere = 0;
  #asked = 0;

  constructor() {
    super("terminal", HABITS, VIEWS, "choose");
    // A scanner types where the focus is: its first character moves the focus to the field for labels.
    document.addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey, target }) => {
      const isText = /^[A-Za-z0-9]$/.test(key) && !ctrlKey && !metaKey && !altKey;
      if (isText && !(target instanceof HTMLInputElement)) document.getElementById("label")?.focus();
    });
  }

  get says() {
    return {
      title: tr("Terminal"),
      cut: tr("No connection: records are kept here"),
      refused: tr("The services refuse this terminal"),
      enrol: tr("Set up this terminal"),
      code: tr("The facility's staff give you a code. It is good once, for ten minutes."),
      name: tr("Name of this terminal"),
      nameHint: tr("A name for this device, such as T1."),
      firstName: "T1",
    };
  }

  /** @returns {[string, string][]} */
  get tabs() {
    return [
      ["choose", tr("New")],
      ["table", tr("Table")],
      ["records", tr("Records")],
      ["lots", tr("Lots")],
    ];
  }

  get placeName() {
    return this.catalogue.facility?.name ?? this.enrolment?.scope ?? "";
  }

  get zone() {
    return this.catalogue.facility?.zone ?? null;
  }

  /** The facility's day. */
  get today() {
    return dayIn(new Date(), this.zone);
  }

  get isFree() {
    return this.entry === null && this.table === null;
  }

  get interval() {
    const isAwaited = this.reports.some(({ standing }) => standing === "sent");
    this.#asked = isAwaited ? this.#asked + 1 : 0;
    return isAwaited && this.#asked <= FEW ? SOON : super.interval;
  }

  /** @param {{ kind: string, body: Record<string, any> }} record */
  textOf(record) {
    return recordText(this, record);
  }

  get warnings() {
    const { facility } = this.catalogue;
    /** @type {import("../device/app.js").Warning[]} */
    const shown = [];
    if (facility && (facility.retired_at ?? null) !== null)
      shown.push({
        kind: "warn",
        text: tr("{facility} is retired from the catalogue.", { facility: facility.facility }),
      });
    if (this.elsewhere > Number(localStorage.getItem(TOLD)))
      shown.push({ kind: "warn", text: this.#missingHere(), onRead: () => this.#told() });
    return shown;
  }

  /** A browser that emptied its storage has forgotten what it recorded; the services have not. */
  #missingHere() {
    return tr(
      "The services have {count:record|records} of {name} that this browser has not. If they are of this device, its storage was emptied. What it had not sent is lost: tell the person who gave the code, and enter it again.",
      { count: this.elsewhere, name: this.enrolment?.name ?? "" },
    );
  }

  #told() {
    localStorage.setItem(TOLD, String(this.elsewhere));
    this.render();
  }

  /** The reports whose end is not known yet. */
  get open() {
    return this.reports.filter(isOpen);
  }

  /** @param {string} view @param {import("../device/app.js").Notice | null} [notice] */
  show(view, notice = null) {
    if (view !== "lots") this.camera.close();
    if (view !== "lot") this.part = null;
    super.show(view, notice);
  }

  /** Read a label by the camera. */
  async scan() {
    try {
      await this.camera.open((text) => findLot(this, text));
    } catch {
      this.failed(tr("The camera can't be used. Allow it in the browser, or type the label."));
    }
  }

  /** Begin an entry. @param {Partial<import("./entries.js").Entry> & { product: string }} entry */
  enter(entry) {
    this.entry = { qty: "", made_on: this.today, best_before: "", ...entry };
    this.entryFault = null;
    this.show("make");
    document.getElementById("qty")?.focus();
  }

  /** Keep records, and show what becomes of them. @param {() => Promise<import("../device/spool.js").StoredRecord[]>} act
   * @returns {Promise<boolean>} whether they were kept */
  async keep(act) {
    /** @type {import("../device/spool.js").StoredRecord[]} */
    let kept = [];
    const isKept = await this.record(async () => {
      kept = await act();
    });
    if (!isKept) return false;
    [this.entry, this.entryFault] = [null, null];
    this.last = kept.map(({ seq }) => seq);
    this.show("kept");
    return true;
  }

  /** Take records out before they are sent. A single entry of goods comes back to be entered better.
   * @param {number[]} numbers */
  async takeOut(numbers) {
    const reports = this.reports.filter(({ record }) => numbers.includes(record.seq));
    if (!(await this.record(() => this.terminal.undo(numbers)))) return;
    const [{ kind, body }] = reports.map(({ record }) => record);
    const said = { kind: "good", text: tr("Taken out. Nothing of it is sent.") };
    if (reports.length > 1 || kind !== "ProductionReported") this.show(this.view === "kept" ? this.home : this.view, said);
    else this.enterAgain(body, said);
  }

  /** Begin an entry like a former one. @param {Record<string, any>} body
   * @param {import("../device/app.js").Notice | null} [said] */
  enterAgain({ product, qty, made_on, best_before }, said = null) {
    this.enter({ product, qty: String(qty), made_on, best_before: best_before ?? "" });
    this.notice = said;
    this.render();
  }

  /** @param {import("../device/spool.js").News[]} news @param {import("../device/spool.js").Device} device */
  take(news, device) {
    this.offered = device.offered;
    const name = this.enrolment?.name ?? "";
    const kept = this.records.map((record, index) => {
      const { state, refusal, kept_at } = this.stored[index];
      return { ...record, state, refusal, kept_at };
    });
    this.catalogue = catalogueOf(news);
    this.reports = reportsOf(kept, news, name);
    this.elsewhere = name ? answeredElsewhere(kept, news, name) : 0;
    this.lots = lotsOf(this.reports, news);
  }
}

if (document.getElementById("bar")) void new TerminalApp().start();
