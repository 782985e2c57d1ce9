/** The till: what it knows of its booth and its records, and its views. */
import { DeviceApp } from "../device/app.js";
import { Camera } from "../device/camera.js";
import { labelOf } from "../device/lot.js";
import { Declined, Unreachable } from "../device/requests.js";
import { RecordStays } from "../device/spool.js";
import { timeOfDay } from "../device/shown.js";
import { setupView } from "../device/views/setup.js";
import { unsentView } from "../device/views/unsent.js";
import { tr } from "../device/words.js";
import { arrivedAt, countOf, neverArrived, numbersOf } from "./arrived.js";
import { boothOf } from "./booth.js";
import { faultOf, changed, itemOf } from "./basket.js";
import { drawersOf, isClosed, openDrawer, otherReceipts, receiptsOf, soldOf } from "./ledger.js";
import { faultText, recordText } from "./shown.js";
import { HABITS, Refused, Till } from "./till.js";
import { cashView } from "./views/cash.js";
import { closeView } from "./views/close.js";
import { dayView } from "./views/day.js";
import { payView } from "./views/pay.js";
import { receiptView } from "./views/receipt.js";
import { receiptsView } from "./views/receipts.js";
import { sellView } from "./views/sell.js";
import { voidView } from "./views/void.js";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const VIEWS = {
  setup: setupView,
  sell: sellView,
  pay: payView,
  receipt: receiptView,
  receipts: receiptsView,
  void: voidView,
  cash: cashView,
  day: dayView,
  close: closeView,
  unsent: unsentView,
};

export class App extends DeviceApp {
  till = new Till(this.spool);
  /** @type {import("./basket.js").Basket} */ basket = new Map();
  /** @type {string | null} */ receipt = null;
  booth = boothOf([], "", "");
  /** @type {string | null} The day of the report; null: today. */ day = null;
  camera = new Camera();
  /** @type {import("./ledger.js").KnownReceipt[]} */ receipts = [];
  /** @type {import("./ledger.js").OtherReceipt[]} */ others = [];
  sold = soldOf([]);
  /** @type {import("./ledger.js").Drawer | null} */ drawer = null;
  /** @type {import("./ledger.js").Drawer[]} */ drawers = [];
  isClosed = false;
  /** @type {import("./arrived.js").Arrived[] | null} What sales has of the booth's devices; null: not known yet. */
  arrived = null;
  #device = "";

  constructor() {
    super("till", HABITS, VIEWS, "sell");
    // A scanner types where the focus is: its first character moves the focus to the field for labels.
    document.addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey, target }) => {
      const isText = /^[A-Za-z0-9]$/.test(key) && !ctrlKey && !metaKey && !altKey;
      if (isText && !(target instanceof HTMLInputElement)) document.getElementById("label")?.focus();
    });
  }

  get says() {
    return {
      title: tr("Till"),
      cut: tr("No connection: sales are kept here"),
      refused: tr("The services refuse this till"),
      enrol: tr("Set up this till"),
      code: tr("The organiser gives you a code. It is good once, for ten minutes."),
      name: tr("Name of this till"),
      nameHint: tr("As the booth lists it, such as T1."),
      firstName: "T1",
    };
  }

  /** @returns {[string, string][]} */
  get tabs() {
    return [
      ["sell", tr("Sell")],
      ["receipts", tr("Receipts")],
      ["cash", tr("Cash")],
      ["close", tr("Closing")],
    ];
  }

  get placeName() {
    return this.booth.name ?? this.enrolment?.scope ?? "";
  }

  get zone() {
    return this.booth.zone;
  }

  get isFree() {
    return !this.basket.size;
  }

  get warnings() {
    const texts = this.#olderCopy();
    if (this.booth.struck) texts.push(tr("The organiser has struck this till as lost. Say that it is in use."));
    if (this.enrolment)
      for (const device of this.booth.former) texts.push(this.#formerDevice(this.enrolment.name, device));
    const { redirected } = this.booth;
    if (redirected)
      texts.push(tr("Records of this booth count at {booth}. Set the till up there.", { booth: redirected.to }));
    return texts.map((text) => ({ kind: "warn", text }));
  }

  /** @param {{ kind: string, body: Record<string, any> }} record */
  textOf(record) {
    return recordText(this, record);
  }

  /** @param {unknown} fault */
  sentenceOf(fault) {
    if (fault instanceof RecordStays) return tr("This record was sent, or is not the last one. Void it instead.");
    if (!(fault instanceof Refused)) return null;
    const sentences = {
      closed: tr("This till is closed."),
      "drawer-open": tr("The drawer must be counted before another takes it."),
      "no-drawer": tr("No drawer is open here."),
      recalled: tr("Some of these goods were withdrawn meanwhile. Go back and set them aside."),
      voided: tr("Goods of this receipt were taken back in another tab. Open the receipt again."),
      unsent: tr("Records are not sent. Say why you close without sending them."),
    };
    return sentences[fault.why];
  }

  /** @param {import("../device/spool.js").News[]} news @param {import("../device/spool.js").Device} device */
  take(news, device) {
    this.#device = device.id;
    this.booth = boothOf(news, device.enrolment?.name ?? "", device.id);
    this.receipts = receiptsOf(this.records, news);
    this.others = otherReceipts(this.records, news);
    this.sold = soldOf(this.receipts);
    this.drawer = openDrawer(this.records);
    this.drawers = drawersOf(this.records);
    this.isClosed = isClosed(this.records, this.booth.opening);
  }

  /** Ask sales once what it has of this till. Who does not get an answer asks after the next sync. */
  async compare() {
    if (this.arrived || !this.enrolment) return;
    try {
      this.arrived = await arrivedAt(this.session, this.enrolment.scope);
    } catch (fault) {
      if (!(fault instanceof Unreachable || fault instanceof Declined)) throw fault;
    }
  }

  get lostText() {
    if (!this.lost || !this.arrived) return null;
    const { device, number } = this.lost;
    const ranges = neverArrived(this.#arrivedOf(device), number);
    if (!ranges.length) return tr("The services have all of them.");
    return tr("The services lack {count:record|records} of them: {numbers}. Tell the organiser what they were.", {
      count: countOf(ranges),
      numbers: numbersOf(ranges),
    });
  }

  /** @param {string} device */
  #arrivedOf(device) {
    return this.arrived?.find((arrived) => arrived.device === device);
  }

  /** What the services have of this device and this browser has not: an older copy of its storage is open. */
  #olderCopy() {
    const [here, last] = [this.records.at(-1)?.seq ?? 0, this.#arrivedOf(this.#device)?.last ?? 0];
    if (last <= here) return [];
    const values = { last, here, count: last - here };
    return [
      tr(
        "The services have records of this till up to number {last}, and this browser up to {here}: {count:record is|records are} missing here. Tell the organiser, and go on selling.",
        values,
      ),
    ];
  }

  /** A browser that emptied its storage has forgotten that it was this till; the services have not.
   * @param {string} till @param {string} device */
  #formerDevice(till, device) {
    const last = this.others.find((receipt) => receipt.till === till);
    const arrived = this.#arrivedOf(device);
    const sentences = [
      tr("Another device was {till} before and is not struck. If it was this one, its storage was emptied.", { till }),
    ];
    if (arrived) {
      const ranges = neverArrived(arrived, arrived.last);
      const count = arrived.last - countOf(ranges);
      sentences.push(
        tr("The services have {count:record|records} of it, up to number {last}. None of them is here.", {
          count,
          last: arrived.last,
        }),
      );
      if (ranges.length) sentences.push(tr("They lack these numbers: {numbers}.", { numbers: numbersOf(ranges) }));
    }
    sentences.push(
      last
        ? tr("Its last receipt that arrived is of {time}. Later ones are lost: tell the organiser.", {
            time: timeOfDay(last.sold_at, this.zone),
          })
        : tr("None of its receipts arrived: tell the organiser."),
    );
    return sentences.join(" ");
  }

  /** @param {string} view @param {import("../device/app.js").Notice | null} [notice] */
  show(view, notice = null) {
    if (view !== "sell" && view !== "receipts") this.camera.close();
    super.show(view, notice);
  }

  /** Read labels by the camera, one after the other. */
  async scan() {
    try {
      await this.camera.open((text) => this.scanned(text));
    } catch {
      this.failed(tr("The camera can't be used. Allow it in the browser, or type the label."));
    }
  }

  /** A label or the QR code of a receipt was read or typed. @param {string} text */
  scanned(text) {
    if (this.view === "receipts") return this.#found(text);
    const label = labelOf(text);
    const fault = faultOf(label, this.booth, new Date());
    const found = itemOf(label);
    if (found && !fault) {
      this.basket = changed(this.basket, found.item, 1);
      this.notice = null;
    } else {
      this.notice = { kind: "bad", text: faultText(fault ?? "unknown", found?.item ?? label) };
    }
    this.render(true);
    document.getElementById("label")?.focus();
  }

  /** Goods of a receipt come back. @param {string} id */
  openReceipt(id) {
    this.receipt = id;
    this.show("void");
  }

  /** @param {string} text */
  #found(text) {
    const number = /^\d+$/.test(text) ? Number(text) : null;
    const own = this.receipts.find(({ record }) => record.seq === number || record.id === text.toLowerCase());
    if (own) this.openReceipt(own.record.id);
    else if (UUID.test(text)) this.openReceipt(text.toLowerCase());
    else {
      const known = { text };
      this.failed(
        tr("{text} is no receipt of this till. Read the QR code or the long number on the paper.", known),
      );
    }
  }
}

if (document.getElementById("bar")) void new App().start();
