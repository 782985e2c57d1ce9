/**
 * Synchronises the spool with the services, in one tab at a time.
 *
 * 1. **send** unsent records in their order; from then on nobody can undo them;
 * 2. note which are **stored**. A crash between the two sends a record again with the same id, and its reader drops
 *    the second copy. A record that is refused is set aside with the reason, and offered again at the next sync;
 * 3. **receive** the news of the place from the cursor on, and keep them with the new cursor.
 */
import { utf8 } from "./encoding.js";
import { Declined, Unreachable, ask } from "./requests.js";
import { cloudEvent } from "./spool.js";

const FIRST_WINDOW = 50;
const LARGEST_WINDOW = 500;
const MOST_BYTES = 3 * 1024 * 1024;
const SMALLEST_TO_PACK = 1024;
const NEWS_PAGE = 500;
// The request as a whole is refused, and not the device: one of the records may be the cause.
const REFUSED_WHOLE = new Set([400, 413, 422]);

/** @typedef {import("./spool.js").Spool} Spool */
/** @typedef {import("./spool.js").StoredRecord} StoredRecord */
/** @typedef {import("./session.js").DeviceSession} DeviceSession */
/** @typedef {{ news: "booths" | "facilities", topics: string[],
 *   introduce?: (spool: Spool) => Promise<unknown> }} Habits whose news a device reads, on which topics, and what it
 *   records before it sends anything */

/** Send and receive once. `onProgress` is called after each request with records. The result is null if another tab
 * is at it. Raises Unreachable, Declined and SpoolFailed.
 * @param {Spool} spool @param {DeviceSession} session @param {Habits} habits @param {() => unknown} onProgress
 * @returns {Promise<{ sent: number, refused: number, received: number } | null>} */
export function sync(spool, session, habits, onProgress = () => {}) {
  return navigator.locks.request(`karya-${spool.role}-sync`, { ifAvailable: true }, async (lock) => {
    if (!lock) return null;
    const { enrolment } = await spool.device();
    if (!enrolment) return null;
    await habits.introduce?.(spool);
    // While nobody answers nothing is offered, so that records can be taken out until they are sent.
    await ask("/apps/identity.json");
    const { sent, refused } = await send(spool, session, onProgress);
    const received = await receive(spool, session, enrolment.scope, habits);
    return { sent, refused, received };
  });
}

/** @param {Spool} spool @param {DeviceSession} session @param {() => unknown} onProgress */
async function send(spool, session, onProgress) {
  let [size, after, sent, refused] = [FIRST_WINDOW, 0, 0, 0];
  /** @typedef {{ seq: number, refusal: import("./spool.js").Refusal | null }} Answer */
  for (;;) {
    const window = packed(await spool.offer(size, after, Date.now()));
    if (!window.length) return { sent, refused };
    /** @type {{ rows: Answer[], fault: unknown }} */
    let answers;
    try {
      answers = await intake(session, window);
      size = Math.min(2 * size, LARGEST_WINDOW);
    } catch (fault) {
      if (!(fault instanceof Declined) || !REFUSED_WHOLE.has(fault.status)) throw fault;
      if (window.length > 1) {
        size = Math.ceil(window.length / 2);
        continue;
      }
      const { reason = String(fault.status), template, values } = fault.problem;
      const refusal = { reason, message: fault.message, template, values };
      answers = { rows: [{ seq: window[0].seq, refusal }], fault: null };
    }
    await spool.answered(answers.rows);
    sent += answers.rows.filter(({ refusal }) => !refusal).length;
    refused += answers.rows.filter(({ refusal }) => refusal).length;
    await onProgress();
    if (answers.fault) throw answers.fault;
    after = window[window.length - 1].seq;
  }
}

/** The records that fit into one request, at least the first. @param {StoredRecord[]} window */
function packed(window) {
  let size = 0;
  const fitting = window.findIndex((record, index) => {
    size += Math.ceil((record.bytes.length * 4) / 3) + 1024;
    return index > 0 && size > MOST_BYTES;
  });
  return fitting < 0 ? window : window.slice(0, fitting);
}

/** What became of each record. `fault`: why the rest was not taken.
 * @param {DeviceSession} session @param {StoredRecord[]} window */
async function intake(session, window) {
  const text = utf8(JSON.stringify(window.map(cloudEvent)));
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": "application/cloudevents-batch+json" };
  /** @type {BodyInit} */
  let body = text;
  if (text.length >= SMALLEST_TO_PACK) {
    body = await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
    headers["Content-Encoding"] = "gzip";
  }
  try {
    const { content } = await session.ask("/gateway/intake", { method: "POST", headers, body });
    return { rows: rowsOf(window, content), fault: null };
  } catch (fault) {
    // The gateway works, and Kafka does not answer it.
    if (!(fault instanceof Unreachable) || !Number.isInteger(fault.problem.stored)) throw fault;
    const { stored, records = [] } = fault.problem;
    return { rows: rowsOf(window.slice(0, stored), records), fault };
  }
}

/** @param {StoredRecord[]} window @param {any} content */
function rowsOf(window, content) {
  if (!Array.isArray(content) || content.length !== window.length) throw new Unreachable("another server answers");
  return window.map(({ seq }, index) => {
    const { status, reason, message, template, values } = content[index];
    return { seq, refusal: status === "stored" ? null : { status, reason, message, template, values } };
  });
}

/** @param {Spool} spool @param {DeviceSession} session @param {string} scope @param {Habits} habits */
async function receive(spool, session, scope, { news, topics }) {
  for (let received = 0; ; ) {
    const parameters = new URLSearchParams({ topic: topics.join(","), limit: String(NEWS_PAGE) });
    const cursor = await spool.cursor(scope);
    if (cursor) parameters.set("after", cursor);
    const path = `/gateway/${news}/${encodeURIComponent(scope)}/news?${parameters}`;
    const { answer, content } = await session.ask(path);
    const next = /<([^>]*)>\s*;\s*rel="?next"?/.exec(answer.headers.get("link") ?? "");
    if (!Array.isArray(content) || !next) throw new Unreachable("another server answers");
    const after = new URL(next[1], location.href).searchParams.get("after") ?? "";
    const items = content.map(itemOf);
    if (items.length || after !== cursor) await spool.receive(scope, items, after);
    received += items.length;
    if (items.length < NEWS_PAGE) return received;
  }
}

/** @param {any} event @returns {import("./spool.js").News} */
function itemOf({ topic, type, source, id, about = null, data }) {
  return { topic, type, source, id, about, data };
}
