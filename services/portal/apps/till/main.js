/** The till: what it knows of its booth and its records, and its views. */
import { DeviceApp } from "../device/app.js";
import { RecordStays } from "../device/spool.js";
import { setupView } from "../device/views/setup.js";
import { unsentView } from "../device/views/unsent.js";
import { tr } from "../device/words.js";
import { boothOf } from "./booth.js";
import { drawersOf, isClosed, openDrawer, receiptsOf, soldOf } from "./ledger.js";
import { HABITS, Refused, Till } from "./till.js";
import { cashView } from "./views/cash.js";
import { closeView } from "./views/close.js";
import { payView } from "./views/pay.js";
import { receiptView } from "./views/receipt.js";
import { receiptsView, voidView } from "./views/receipts.js";
import { sellView } from "./views/sell.js";

const VIEWS = {
  setup: setupView,
  sell: sellView,
  pay: payView,
  receipt: receiptView,
  receipts: receiptsView,
  void: voidView,
  cash: cashView,
  close: closeView,
  unsent: unsentView,
};

export class App extends DeviceApp {
  till = new Till(this.spool);
  /** @type {import("./basket.js").Basket} */ basket = new Map();
  /** @type {string | null} */ receipt = null;
  booth = boothOf([], "", "");
  /** @type {import("./ledger.js").KnownReceipt[]} */ receipts = [];
  sold = soldOf([]);
  /** @type {import("./ledger.js").Drawer | null} */ drawer = null;
  /** @type {import("./ledger.js").Drawer[]} */ drawers = [];
  isClosed = false;

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
    const texts = [];
    if (this.booth.struck) texts.push(tr("The organiser has struck this till as lost. Say that it is in use."));
    const { redirected } = this.booth;
    if (redirected)
      texts.push(tr("Records of this booth count at {booth}. Set the till up there.", { booth: redirected.to }));
    return texts.map((text) => ({ kind: "warn", text }));
  }

  /** @param {unknown} fault */
  sentenceOf(fault) {
    if (fault instanceof RecordStays) return tr("This record was sent, or is not the last one. Void it instead.");
    if (!(fault instanceof Refused)) return null;
    const sentences = {
      closed: tr("This till is closed."),
      "drawer-open": tr("The drawer must be counted before another takes it."),
      "no-drawer": tr("No drawer is open here."),
    };
    return sentences[fault.why];
  }

  /** @param {import("../device/spool.js").News[]} news @param {import("../device/spool.js").Device} device */
  take(news, device) {
    this.booth = boothOf(news, device.enrolment?.name ?? "", device.id);
    this.receipts = receiptsOf(this.records, news);
    this.sold = soldOf(this.receipts);
    this.drawer = openDrawer(this.records);
    this.drawers = drawersOf(this.records);
    this.isClosed = isClosed(this.records, this.booth.opening);
  }
}

if (document.getElementById("bar")) void new App().start();
