/**
 * What this device keeps in IndexedDB: its key, its records in their order, and the news of its place.
 *
 * A record is kept once a transaction with strict durability has completed.
 */
import { DeviceDatabase } from "./database.js";
import { base64 } from "./encoding.js";
import { encode, eventType, recordTime } from "./envelope.js";
import { KEY, publicKeyOf, signRecord, subjectOf } from "./signatures.js";

/** @typedef {import("./envelope.js").Draft} Draft */
/** @typedef {import("./envelope.js").Body} Body */
/** @typedef {{ topic: string, type: string, source: string, id: string, about: string | null,
 *   data: Record<string, any> }} News */
/** @typedef {{ seq: number, id: string, kind: string, body: Body, sent: boolean }} Recorded */
/** @typedef {{ device: string, seq: number, previous: string | null }} Link a record's device, its number there, and
 *   the id of the record before it */
/** @typedef {Enrolment & Link} Place where a record is made */
/** @typedef {{ status?: string, reason: string, message: string, template?: string,
 *   values?: Record<string, any> }} Refusal `status`: the gateway's, such as `held` */
/** @typedef {"kept" | "sent" | "refused" | "removed"} State `removed`: taken out before it was sent */
/** @typedef {{ specversion: string, id: string, source: string, type: string, time: string,
 *   datacontenttype: string, partitionkey: string }} Headers */
/** @typedef {{ seq: number, id: string, bytes: Uint8Array<ArrayBuffer>, headers: Headers, signature: string,
 *   state: State,
 *   kept_at: number, hold: number, refusal: Refusal | null, note: string, by?: string }} StoredRecord
 *   `hold`: for how many milliseconds after `kept_at` it is not sent. `note`: what stays on this device.
 *   `by`: the pseudonym of who kept it, if the view asks; it stays here too. */
/** @typedef {{ keys: import("./signatures.js").KeyPair, subject: string }} Identity */
/** @typedef {Identity & { name: "device", id: string, enrolment: Enrolment | null, offered: number }} Device
 *   `offered`: the highest number that a sync has begun to send. */
/** @typedef {{ audience: string, scope: string, name: string }} Enrolment `scope`: the booth or the facility. `name`:
 *   that of the till or terminal there. */

/** @typedef {{ device: string, number: number }} Lost a device whose records up to the number are gone here */

/** A record that may have been sent, or is not the last one, stays. */
export class RecordStays extends Error {}

export class Spool {
  /** @param {"till" | "terminal"} role each has a database of its own, as both may be on one phone */
  constructor(role) {
    this.role = role;
    this.database = new DeviceDatabase(`karya-${role}`);
    this.lock = `karya-${role}-record`;
    this.mark = `karya-${role}-last`;
  }

  /** The device, made at its first use; its private key can't be taken out of the browser.
   * @returns {Promise<Device>} */
  async device() {
    const known = await this.#knownDevice();
    if (known) return known;
    return navigator.locks.request(this.lock, async () => {
      // Two tabs that make the first key must get the same one.
      const made = await this.#knownDevice();
      if (made) return made;
      /** @type {Device} */
      const device = {
        name: "device",
        id: crypto.randomUUID(),
        ...(await newIdentity()),
        enrolment: null,
        offered: 0,
      };
      await this.database.changed(["device"], (stores) => void stores.device.add(device));
      return device;
    });
  }

  /** Note where this device is enrolled, and by which key. @param {Enrolment} enrolment @param {Identity} identity */
  async enrolled(enrolment, { keys, subject }) {
    await navigator.locks.request(this.lock, () =>
      this.database.changed(["device"], ({ device }) => {
        const read = device.get("device");
        read.onsuccess = () => void device.put({ ...read.result, keys, subject, enrolment });
      }),
    );
  }

  /** Keep a record made at `at`. `write` makes its body from its place and the records before it.
   * @param {(place: Place, records: Recorded[]) => Draft} write @param {Date} at
   * @param {{ hold?: number, note?: string, by?: string }} [options] @returns {Promise<StoredRecord>} */
  async append(write, at, options = {}) {
    return (await this.appendAll([write], at, options))[0];
  }

  /** Keep several records, all of them or none.
   * @param {((place: Place, records: Recorded[]) => Draft)[]} writes @param {Date} at
   * @param {{ hold?: number, note?: string, by?: string }} [options] @returns {Promise<StoredRecord[]>} */
  appendAll(writes, at, { hold = 0, note = "", by = "" } = {}) {
    return navigator.locks.request(this.lock, async () => {
      const [device, stored] = await Promise.all([this.#enrolledDevice(), this.stored()]);
      const records = stored.map(recordedOf);
      let last = records.at(-1);
      /** @type {StoredRecord[]} */
      const made = [];
      for (const write of writes) {
        const place = placeOf(device, (last?.seq ?? 0) + 1, last?.id ?? null);
        const record = { ...(await this.#made(device, place, write(place, records), at)), hold, note, by };
        made.push(record);
        records.push((last = recordedOf(record)));
      }
      await this.database.changed(["records"], (stores) => {
        for (const record of made) stores.records.add(record);
      });
      this.#mark(device.id, last?.seq ?? 0);
      return made;
    });
  }

  /** Put another body in the place of the last record, if no sync has begun to send it. The record keeps its number.
   * @param {number} seq @param {(place: Place, former: Recorded) => Draft} write @returns {Promise<StoredRecord>} */
  replaceLast(seq, write) {
    return navigator.locks.request(this.lock, async () => {
      const [device, stored] = await Promise.all([this.#enrolledDevice(), this.stored()]);
      const former = stored.at(-1);
      if (former?.seq !== seq) throw new RecordStays();
      const place = placeOf(device, seq, stored.at(-2)?.id ?? null);
      const record = await this.#made(device, place, write(place, recordedOf(former)), new Date(former.headers.time));
      await this.database.changed(["records", "device"], (stores, refuse) => {
        const read = stores.device.get("device");
        read.onsuccess = () => {
          if (read.result.offered >= seq) refuse(new RecordStays());
          else stores.records.put(record);
        };
      });
      return record;
    });
  }

  /** Every record as it is stored, in order. @returns {Promise<StoredRecord[]>} */
  stored() {
    return this.database.read("records", (store) => store.getAll());
  }

  /** The records to send next, at most `most`, after number `after`; from then on they stay as they are.
   * @param {number} most @param {number} after @param {number} now @returns {Promise<StoredRecord[]>} */
  async offer(most, after, now) {
    /** @type {StoredRecord[]} */
    let window = [];
    await this.database.changed(["records", "device"], (stores) => {
      const records = stores.records.getAll(IDBKeyRange.lowerBound(after, true));
      const device = stores.device.get("device");
      device.onsuccess = () => {
        const unsent = /** @type {StoredRecord[]} */ (records.result).filter(isUnsent);
        // Records are sent in their order: one that can still be undone holds the later ones back.
        const held = unsent.findIndex((record) => isHeld(record, now));
        window = unsent.slice(0, Math.min(most, held < 0 ? unsent.length : held));
        const offered = Math.max(device.result.offered, window.at(-1)?.seq ?? 0);
        if (offered > device.result.offered) stores.device.put({ ...device.result, offered });
      };
    });
    return window;
  }

  /** All unsent records for a file, in their order. None of them can be undone any more.
   * @returns {Promise<StoredRecord[]>} */
  offerAll() {
    return this.offer(Number.MAX_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER);
  }

  /** Take records out that no sync has begun to send, all of them or none. They are never sent, and their numbers are
   * not given again. Only for records whose bodies have no number. @param {number[]} numbers */
  async takeOut(numbers) {
    await navigator.locks.request(this.lock, () =>
      this.database.changed(["records", "device"], ({ records, device }, refuse) => {
        const read = device.get("device");
        read.onsuccess = () => {
          if (numbers.some((seq) => seq <= read.result.offered)) return refuse(new RecordStays());
          for (const seq of numbers) {
            const record = records.get(seq);
            record.onsuccess = () => void records.put({ ...record.result, state: "removed" });
          }
        };
      }),
    );
  }

  /** Note what became of records. @param {{ seq: number, refusal: Refusal | null }[]} answers */
  async answered(answers) {
    await this.database.changed(["records"], ({ records }) => {
      for (const { seq, refusal } of answers) {
        const read = records.get(seq);
        read.onsuccess = () => {
          const state = refusal ? "refused" : "sent";
          if (read.result && read.result.state !== "sent") records.put({ ...read.result, state, refusal });
        };
      }
    });
  }

  /** Every event of the place, in the order of arrival. @returns {Promise<News[]>} */
  news() {
    return this.database.read("news", (store) => store.getAll());
  }

  /** The cursor from which the news of a place go on; empty at their beginning. @param {string} scope
   * @returns {Promise<string>} */
  async cursor(scope) {
    return (await this.database.read("cursors", (store) => store.get(scope)))?.after ?? "";
  }

  /** Keep news and the new cursor in one transaction. @param {string} scope @param {News[]} items
   * @param {string} after */
  async receive(scope, items, after) {
    await this.database.changed(["news", "cursors"], (stores) => {
      for (const item of items) {
        // A service may publish an event twice after a crash: the first copy stays.
        stores.news.add(item).onerror = (event) => {
          event.preventDefault();
          event.stopPropagation();
        };
      }
      stores.cursors.put({ scope, after });
    });
  }

  /** The device that kept records here up to a number, if the database has fewer now: storage was emptied.
   * @returns {Promise<Lost | null>} */
  async lost() {
    const [device, number] = (localStorage.getItem(this.mark) ?? "").split(" ");
    if (!device) return null;
    const [known, stored] = await Promise.all([this.#knownDevice(), this.stored()]);
    const here = known?.id === device ? (stored.at(-1)?.seq ?? 0) : 0;
    return here < Number(number) ? { device, number: Number(number) } : null;
  }

  /** The person has read that records were lost. */
  forgetLost() {
    localStorage.removeItem(this.mark);
  }

  /** @param {string} device @param {number} seq */
  #mark(device, seq) {
    try {
      const [former, number] = (localStorage.getItem(this.mark) ?? "").split(" ");
      // What was lost is told until a person has read it.
      if (former && (former !== device || Number(number) > seq)) return;
      localStorage.setItem(this.mark, `${device} ${seq}`);
    } catch {
      // A full disk: the record itself is kept.
    }
  }

  async #enrolledDevice() {
    const device = await this.#knownDevice();
    if (!device?.enrolment) throw new Error("the device is not enrolled");
    return /** @type {Device & { enrolment: Enrolment }} */ (device);
  }

  /** @param {Device} device @param {Place} place @param {Draft} draft @param {Date} at
   * @returns {Promise<StoredRecord>} */
  async #made(device, place, { kind, body }, at) {
    const { scope, name } = place;
    const source = `${this.role}/${scope}/${name}`;
    const [id, type, time] = [crypto.randomUUID(), eventType(kind), recordTime(at)];
    const bytes = encode(body);
    const headers = {
      specversion: "1.0",
      id,
      source,
      type,
      time,
      datacontenttype: "application/json",
      partitionkey: scope,
    };
    const content = { source, id, type, time, key: scope, bytes };
    const signature = await signRecord(device.keys.privateKey, device.subject, content);
    return {
      seq: place.seq,
      id,
      bytes,
      headers,
      signature,
      state: "kept",
      kept_at: Date.now(),
      hold: 0,
      refusal: null,
      note: "",
    };
  }

  /** @returns {Promise<Device | undefined>} */
  #knownDevice() {
    return this.database.read("device", (store) => store.get("device"));
  }
}

/** @param {Device & { enrolment: Enrolment }} device @param {number} seq @param {string | null} previous
 * @returns {Place} */
function placeOf({ id, enrolment }, seq, previous) {
  return { ...enrolment, device: id, seq, previous };
}

/** A new key, whose private half no script can read. @returns {Promise<Identity>} */
export async function newIdentity() {
  const keys = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(KEY, false, ["sign", "verify"]));
  return { keys, subject: await subjectOf(await publicKeyOf(keys.publicKey)) };
}

/** @param {StoredRecord} record */
export function isUnsent({ state }) {
  return state === "kept" || state === "refused";
}

/** Whether a record can still be undone. A clock that was set back ends that. @param {StoredRecord} record
 * @param {number} now */
export function isHeld({ state, kept_at, hold }, now) {
  return state === "kept" && now >= kept_at && now < kept_at + hold;
}

const decoder = new TextDecoder();

/** The kind of a record, without the version of its form. @param {Headers} headers */
function kindOf({ type }) {
  return type.slice(0, type.lastIndexOf("."));
}

/** @param {StoredRecord} record @returns {Recorded} */
export function recordedOf({ seq, id, bytes, headers, state }) {
  return { seq, id, kind: kindOf(headers), body: JSON.parse(decoder.decode(bytes)), sent: state === "sent" };
}

/** A record as the gateway takes it. @param {StoredRecord} record */
export function cloudEvent({ headers, signature, bytes }) {
  return { ...headers, devsig: signature, data_base64: base64(bytes) };
}
