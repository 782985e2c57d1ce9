/** What till and terminal share as apps: what is shown when, what is kept, and when it synchronises. */
import { Press, h, notice, swallowBounces } from "./dom.js";
import { bar, notices } from "./frame.js";
import { Declined, Unreachable } from "./requests.js";
import { DeviceSession, OtherRole } from "./session.js";
import { RecordStays, Spool, SpoolFailed, isHeld, isUnsent, recordedOf } from "./spool.js";
import { sync } from "./sync.js";
import { loadWords, tr } from "./words.js";

const EACH = 20_000;
const LONGEST = 60_000;

/** @typedef {{ kind: string, text: string }} Notice `kind`: `good`, `warn` or `bad` */
/** @typedef {(app: any) => (Node | string)[]} View */
/** @typedef {"unknown" | "works" | "refused" | "cut"} Line */

/** An app with its views by name. A till and a terminal say what they read from the spool, and what they show. */
export class DeviceApp {
  session;
  spool;
  /** @type {Notice | null} */ notice = null;
  /** @type {Line} */ line = "unknown";
  /** Whether the browser has promised not to empty its storage. */ persists = true;
  /** @type {string | null} */ fault = null;
  /** @type {number | null} */ lost = null;
  isReady = false;
  /** @type {import("./spool.js").Enrolment | null} */ enrolment = null;
  /** @type {import("./spool.js").StoredRecord[]} */ stored = [];
  /** @type {import("./spool.js").Recorded[]} */ records = [];
  #channel;
  #press = new Press();
  #timer = 0;
  #failures = 0;
  #again = false;
  #syncing = false;
  #recording = false;
  /** Whether a newer version has taken over. */ #isOld = false;
  /** @type {string | null} */ #shown = null;
  /** @type {ServiceWorkerRegistration | null} */ #registration = null;

  /** @param {"till" | "terminal"} role @param {import("./sync.js").Habits} habits @param {Record<string, View>} views
   * @param {string} home the view that an enrolled device begins with */
  constructor(role, habits, views, home) {
    this.role = role;
    this.habits = habits;
    this.views = { ...views };
    this.home = home;
    this.view = home;
    this.spool = new Spool(role);
    this.session = new DeviceSession(this.spool);
    this.#channel = new BroadcastChannel(`karya-${role}`);
  }

  /** The name of the app, and what its frame says. Each is a text in the reader's language. */
  get says() {
    return { title: "Karya", cut: "", refused: "", enrol: "", code: "", name: "", nameHint: "", firstName: "" };
  }

  /** The views that can be opened from everywhere, with their texts. @returns {[string, string][]} */
  get tabs() {
    return [];
  }

  /** The place as its people call it. */
  get placeName() {
    return this.enrolment?.scope ?? "";
  }

  /** The zone of the place. @returns {string | null} */
  get zone() {
    return null;
  }

  /** Whether nobody is in the middle of something that a new version would end. */
  get isFree() {
    return true;
  }

  /** After how many milliseconds it asks again, if all is well. */
  get interval() {
    return EACH;
  }

  /** Notices of this app. @returns {{ kind: string, text: string }[]} */
  get warnings() {
    return [];
  }

  /** The sentence for a fault that this app alone knows. @param {unknown} _fault @returns {string | null} */
  sentenceOf(_fault) {
    return null;
  }

  /** What a record says, in the reader's language. @param {{ kind: string, body: Record<string, any> }} record
   * @returns {string} */
  textOf({ kind }) {
    return kind;
  }

  /** Make of records and news what the views show. @param {import("./spool.js").News[]} _news
   * @param {import("./spool.js").Device} _device */
  take(_news, _device) {}

  get unsent() {
    return this.stored.filter(isUnsent);
  }

  async start() {
    await loadWords();
    swallowBounces();
    this.#channel.onmessage = () => void this.refresh();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.syncSoon(0);
    });
    // Only a hint to try at once; whether the line works is known from an answer.
    addEventListener("online", () => this.syncSoon(0));
    try {
      if (!isSecureContext)
        throw tr("This app needs HTTPS: the browser has no keys and no storage to trust otherwise.");
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
    // A browser promises it to an app that was installed after its enrolment. Some ask the person first.
    if (this.enrolment && !this.persists) void this.keepStorage();
    await this.#serve();
  }

  /** Ask the browser not to empty its storage. */
  async keepStorage() {
    this.persists = (await navigator.storage?.persist?.()) ?? false;
  }

  /** Read everything again, and show it. */
  async refresh() {
    const [device, stored, news] = await Promise.all([this.spool.device(), this.spool.stored(), this.spool.news()]);
    this.enrolment = device.enrolment;
    this.stored = stored;
    this.records = stored.map(recordedOf);
    this.take(news, device);
    this.isReady = true;
    this.#press.after(() => this.render());
  }

  /** @param {string} view @param {Notice | null} [notice] */
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
    this.notice = { kind: "bad", text: this.sentenceOf(fault) ?? sentenceOf(fault) };
    this.render();
  }

  /** The organiser knows of the records that are gone. */
  forgetLost() {
    this.spool.forgetLost();
    this.lost = null;
    this.render();
  }

  /** Show what has changed. A form that somebody fills stays, unless it is `forced`. @param {boolean} [forced] */
  render(forced = false) {
    const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
    const [top, messages, view] = ["bar", "notices", "view"].map(part);
    const focused = document.activeElement?.id;
    if (!this.isReady) {
      view.replaceChildren(this.notice ? notice(this.notice.kind, h("p", {}, this.notice.text)) : "");
      return;
    }
    top.replaceChildren(bar(this));
    messages.replaceChildren(...notices(this));
    if (forced || this.#shown !== this.view || !isFilled(view)) view.replaceChildren(...this.views[this.view](this));
    if (focused && focused !== document.activeElement?.id) document.getElementById(focused)?.focus();
    this.#shown = this.view;
    document.title = `${this.says.title} ${this.enrolment?.name ?? ""} · Karya`;
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
    /** @type {number | null} */
    let wait = null;
    try {
      const done = await sync(this.spool, this.session, this.habits, () => this.refresh());
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
    wait ??= this.interval;
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
      // Another tab has let it in. Who fills a basket here goes on with the version that is open.
      this.#isOld = controlled;
      this.#takeOver();
    });
    this.#registration = registration;
    registration.addEventListener("updatefound", () => {
      registration.installing?.addEventListener("statechange", () => this.#takeOver());
    });
    this.#takeOver();
  }

  /** A new version takes over when nothing is unsent, and nobody is in the middle of something. */
  #takeOver() {
    const idle = !this.unsent.length && this.isFree && this.view === this.home;
    if (!idle || this.#recording) return;
    if (this.#isOld) location.reload();
    else this.#registration?.waiting?.postMessage("take-over");
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
  if (fault instanceof OtherRole)
    return fault.role === "till"
      ? tr("This code was for a till. Open the till and ask for another code.")
      : tr("This code was for a terminal. Open the terminal and ask for another code.");
  if (fault instanceof RecordStays) return tr("This record was sent, or is not the last one. It stays.");
  if (fault instanceof SpoolFailed) return tr("The storage of this device does not answer. Open this page anew.");
  if (fault instanceof RangeError)
    return tr("The clock of this device is outside the years 1970 to 2099. Please set it.");
  return String(fault);
}

/** @param {any} field */
function isChanged(field) {
  if (field instanceof HTMLSelectElement) {
    const first = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(first, 0);
  }
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}

/** Whether somebody is filling a form there. @param {HTMLElement} view */
function isFilled(view) {
  const fields = [...view.querySelectorAll("input, textarea, select")];
  return fields.some((field) => field === document.activeElement || isChanged(field));
}
