/** The till: what it knows, what it shows, and when it synchronises. */
import { boothOf } from "./booth.js";
import { h, notice, swallowBounces } from "./dom.js";
import { drawersOf, isClosed, openDrawer, receiptsOf, soldOf } from "./ledger.js";
import { Declined, Unreachable } from "./requests.js";
import { DeviceSession } from "./session.js";
import { RecordStays, Spool, SpoolFailed, isHeld, recordedOf } from "./spool.js";
import { sync } from "./sync.js";
import { Refused, Till } from "./till.js";
import { cashView } from "./views/cash.js";
import { closeView } from "./views/close.js";
import { payView } from "./views/pay.js";
import { receiptView } from "./views/receipt.js";
import { receiptsView, voidView } from "./views/receipts.js";
import { sellView } from "./views/sell.js";
import { setupView } from "./views/setup.js";
import { unsentView } from "./views/unsent.js";
import { keepLanguage, language, loadWords, tr } from "./words.js";

const EACH = 20_000;
const LONGEST = 60_000;
const CLOCK_SLACK = 60_000;
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

/** @typedef {keyof typeof VIEWS} ViewName */

export class App {
  spool = new Spool();
  till = new Till(this.spool);
  session = new DeviceSession(this.spool);
  /** @type {ViewName} */ view = "sell";
  /** @type {import("./basket.js").Basket} */ basket = new Map();
  /** @type {string | null} */ receipt = null;
  /** @type {{ kind: string, text: string } | null} */ notice = null;
  /** @type {"unknown" | "works" | "refused" | "cut"} */ line = "unknown";
  /** Whether the browser has promised not to empty its storage. */ persists = true;
  /** @type {string | null} */ fault = null;
  /** @type {number | null} */ lost = null;
  isReady = false;
  /** @type {import("./spool.js").Enrolment | null} */ enrolment = null;
  /** @type {import("./spool.js").StoredRecord[]} */ stored = [];
  /** @type {import("./ledger.js").Recorded[]} */ records = [];
  booth = boothOf([], "", "");
  /** @type {import("./ledger.js").KnownReceipt[]} */ receipts = [];
  sold = soldOf([]);
  /** @type {import("./ledger.js").Drawer | null} */ drawer = null;
  /** @type {import("./ledger.js").Drawer[]} */ drawers = [];
  isClosed = false;
  #channel = new BroadcastChannel("karya-till");
  #timer = 0;
  #failures = 0;
  #again = false;
  #syncing = false;
  #recording = false;

  async start() {
    await loadWords();
    swallowBounces();
    this.#channel.onmessage = () => void this.refresh();
    // A scanner types where the focus is: its first character moves the focus to the field for labels.
    document.addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey, target }) => {
      const isText = /^[A-Za-z0-9]$/.test(key) && !ctrlKey && !metaKey && !altKey;
      if (isText && !(target instanceof HTMLInputElement)) document.getElementById("label")?.focus();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.syncSoon(0);
    });
    // Only a hint to try at once; whether the line works is known from an answer.
    addEventListener("online", () => this.syncSoon(0));
    try {
      if (!isSecureContext)
        throw tr("A till needs HTTPS: the browser has no keys and no storage to trust otherwise.");
      await this.spool.device();
      this.lost = await this.spool.lost();
      this.persists = (await navigator.storage?.persisted?.()) ?? false;
      await this.refresh();
    } catch (fault) {
      this.failed(fault);
      return;
    }
    if (!this.enrolment) this.show("setup");
    this.syncSoon(0);
    await this.#serve();
  }

  /** Read everything again, and show it. */
  async refresh() {
    const [device, stored, news] = await Promise.all([this.spool.device(), this.spool.stored(), this.spool.news()]);
    this.enrolment = device.enrolment;
    this.stored = stored;
    this.records = stored.map(recordedOf);
    this.booth = boothOf(news, device.enrolment?.till ?? "", device.id);
    this.receipts = receiptsOf(this.records, news);
    this.sold = soldOf(this.receipts);
    this.drawer = openDrawer(this.records);
    this.drawers = drawersOf(this.records);
    this.isClosed = isClosed(this.records, this.booth.opening);
    this.isReady = true;
    this.render();
  }

  get unsent() {
    return this.stored.filter(({ state }) => state !== "sent");
  }

  /** @param {ViewName} view @param {{ kind: string, text: string } | null} [notice] */
  show(view, notice = null) {
    this.view = view;
    this.notice = notice;
    this.render(true);
    scrollTo(0, 0);
    document.getElementById("main")?.focus();
  }

  /** Do something that records, show it and send it. @param {() => Promise<unknown>} act
   * @returns {Promise<boolean>} whether it was kept */
  async record(act) {
    // A page that is shown anew meanwhile has another button, which knows nothing of the first tap.
    if (this.#recording) return false;
    this.#recording = true;
    try {
      await act();
    } catch (fault) {
      this.#recording = false;
      this.failed(fault instanceof SpoolFailed ? notKept() : fault);
      return false;
    }
    this.notice = null;
    this.#channel.postMessage("changed");
    // The record is kept, so a page that can't be shown must not say that it is not.
    await this.refresh().catch(() => location.reload());
    this.#recording = false;
    this.syncSoon(0);
    return true;
  }

  /** Show why something did not work. @param {unknown} fault */
  failed(fault) {
    this.notice = { kind: "bad", text: sentenceOf(fault) };
    this.render();
  }

  /** Show what has changed. A form that somebody fills stays, unless it is `forced`. @param {boolean} [forced] */
  render(forced = false) {
    const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
    const [bar, notices, view] = ["bar", "notices", "view"].map(part);
    const focused = document.activeElement?.id;
    if (!this.isReady) {
      view.replaceChildren(this.notice ? notice(this.notice.kind, h("p", {}, this.notice.text)) : "");
      return;
    }
    bar.replaceChildren(this.#bar());
    notices.replaceChildren(...this.#notices());
    if (forced || this.#shown !== this.view || !isFilled(view)) view.replaceChildren(...VIEWS[this.view](this));
    if (focused && focused !== document.activeElement?.id) document.getElementById(focused)?.focus();
    this.#shown = this.view;
    document.title = `${tr("Till")} ${this.enrolment?.till ?? ""} · Karya`;
  }

  /** @type {ViewName | null} */ #shown = null;

  #bar() {
    const { enrolment } = this;
    const count = this.unsent.length;
    const line = {
      unknown: tr("Connecting…"),
      works: tr("Connected"),
      refused: tr("The services refuse this till"),
      cut: tr("No connection: sales are kept here"),
    }[this.line];
    /** @type {["id" | "en", string]} */
    const other = language() === "id" ? ["en", "English"] : ["id", "Indonesia"];
    const place = enrolment ? `${enrolment.till} · ${this.booth.name ?? enrolment.booth}` : "Karya";
    const tabs = enrolment
      ? /** @type {[ViewName, string][]} */ ([
          ["sell", tr("Sell")],
          ["receipts", tr("Receipts")],
          ["cash", tr("Cash")],
          ["close", tr("Closing")],
        ])
      : [];
    return h(
      "div",
      { class: "bar" },
      h(
        "div",
        { class: "bar-inner" },
        h("strong", { class: "brand" }, place),
        h("span", { class: `line ${this.line}`, role: "status" }, line),
        enrolment &&
          h(
            "button",
            { id: "unsent", class: `unsent ${count ? "some" : "none"}`, onclick: () => this.show("unsent") },
            count ? tr("{count:record|records} not sent", { count }) : tr("All sent"),
          ),
        h(
          "div",
          { class: "bar-end" },
          h(
            "button",
            {
              class: "plain",
              id: "language",
              lang: other[0],
              onclick: () => {
                keepLanguage(other[0]);
                this.render(true);
              },
            },
            other[1],
          ),
        ),
      ),
      tabs.length
        ? h(
            "nav",
            { class: "tabs", "aria-label": tr("Main") },
            tabs.map(([view, text]) =>
              h(
                "button",
                {
                  id: `tab-${view}`,
                  "aria-current": this.view === view ? "page" : null,
                  onclick: () => this.show(view),
                },
                text,
              ),
            ),
          )
        : null,
    );
  }

  #notices() {
    const notices = [];
    if (this.notice) notices.push(notice(this.notice.kind, h("p", {}, this.notice.text)));
    const { lost: number } = this;
    if (number !== null)
      notices.push(
        notice(
          "bad",
          h(
            "p",
            {},
            tr("This browser emptied its storage: records up to number {number} are gone here.", { number }),
          ),
          h("p", {}, tr("Those that were sent are safe. Tell the organiser, and enrol this device anew.")),
          h(
            "button",
            {
              id: "read-lost",
              onclick: () => {
                this.spool.forgetLost();
                this.lost = null;
                this.render();
              },
            },
            tr("I have told the organiser"),
          ),
        ),
      );
    const last = this.stored.at(-1);
    if (last && last.kept_at > Date.now() + CLOCK_SLACK)
      notices.push(notice("warn", h("p", {}, tr("The clock of this device was set back. Please set it."))));
    if (this.booth.struck) {
      const text = tr("The organiser has struck this till as lost. Say that it is in use.");
      notices.push(notice("warn", h("p", {}, text)));
    }
    if (this.booth.redirected) {
      const booth = this.booth.redirected.to;
      const text = tr("Records of this booth count at {booth}. Set the till up there.", { booth });
      notices.push(notice("warn", h("p", {}, text)));
    }
    return notices;
  }

  /** Synchronise after `milliseconds`, and again on a timer. @param {number} milliseconds */
  syncSoon(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.sync(), milliseconds);
  }

  async sync() {
    if (this.#syncing) {
      this.#again = true;
      return;
    }
    if (!this.enrolment) return;
    this.#syncing = true;
    clearTimeout(this.#timer);
    let wait = EACH;
    try {
      const done = await sync(this.spool, this.session, () => this.refresh());
      if (done) {
        this.line = "works";
        this.fault = null;
        this.#failures = 0;
      }
    } catch (fault) {
      if (fault instanceof Unreachable) this.line = "cut";
      else if (fault instanceof Declined) this.line = "refused";
      this.fault = sentenceOf(fault);
      wait = Math.min(2_000 * 2 ** this.#failures++, LONGEST);
      if (fault instanceof Declined) wait = Math.max(wait, fault.wait * 1000);
    }
    this.#syncing = false;
    this.#channel.postMessage("changed");
    await this.refresh().catch((fault) => this.failed(fault));
    const held = this.stored.find((record) => isHeld(record, Date.now()));
    if (held) wait = Math.min(wait, held.kept_at + held.hold - Date.now() + 50);
    if (this.#again && !this.#failures) wait = 0;
    this.#again = false;
    this.syncSoon(wait);
    this.#takeOver();
  }

  async #serve() {
    if (!("serviceWorker" in navigator)) return;
    const registration = await navigator.serviceWorker.register("worker.js", { updateViaCache: "none" });
    const controlled = navigator.serviceWorker.controller !== null;
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      if (controlled) location.reload();
    });
    this.#registration = registration;
    registration.addEventListener("updatefound", () => {
      registration.installing?.addEventListener("statechange", () => this.#takeOver());
    });
    this.#takeOver();
  }

  /** @type {ServiceWorkerRegistration | null} */ #registration = null;

  /** A new version takes over when nothing is unsent, and no sale is under way. */
  #takeOver() {
    const idle = !this.unsent.length && !this.basket.size && this.view === "sell";
    if (idle) this.#registration?.waiting?.postMessage("take-over");
  }
}

function notKept() {
  return tr("This record was NOT kept, all earlier ones are safe. Free some space, and enter it again.");
}

/** @param {unknown} fault @returns {string} */
function sentenceOf(fault) {
  if (fault instanceof Unreachable) return tr("The services do not answer.");
  if (fault instanceof Declined) {
    const { template, values, detail } = fault.problem;
    return template ? tr(template, values ?? {}) : (detail ?? String(fault.status));
  }
  if (fault instanceof RecordStays) return tr("This record was sent, or is not the last one. Void it instead.");
  if (fault instanceof SpoolFailed) return tr("The storage of this device does not answer. Open the till anew.");
  if (fault instanceof RangeError)
    return tr("The clock of this device is outside the years 1970 to 2099. Please set it.");
  if (fault instanceof Refused)
    return {
      closed: tr("This till is closed."),
      "drawer-open": tr("The drawer must be counted before another takes it."),
      "no-drawer": tr("No drawer is open here."),
    }[fault.why] ?? fault.why;
  return String(fault);
}

/** Whether somebody is filling a form there. @param {HTMLElement} view */
function isFilled(view) {
  const inputs = [...view.querySelectorAll("input")];
  const isChanged = (/** @type {HTMLInputElement} */ input) =>
    input.value !== input.defaultValue || input.checked !== input.defaultChecked;
  return inputs.some((input) => input === document.activeElement || isChanged(input));
}

if (document.getElementById("bar")) void new App().start();
