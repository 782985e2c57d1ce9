// Live updates: one connection for all tabs of the browser. The tab that holds the lock connects, and tells the others.

// The portal refuses a connection that follows more.
const MOST_FESTIVALS = 20;
/** @type {Set<string>} the festivals that tabs show or have shown, the latest last */
const wanted = new Set();
const channel = new BroadcastChannel("karya-live");
let isLeader = false;
/** @type {EventSource | undefined} */
let source;
let last = "";

/** The festival that this tab shows, if its page is a live one. */
function shown() {
  return document.querySelector("[data-live]")?.getAttribute("data-live") ?? "";
}

/** Tell the page that its festival has changed: htmx then asks for the page's live part. */
function tell(/** @type {string} */ festival) {
  if (festival === shown()) document.body.dispatchEvent(new CustomEvent("karya-changed"));
}

function connect() {
  source?.close();
  source = undefined;
  if (!isLeader || !wanted.size) return;
  const query = new URLSearchParams([...wanted].sort().map((festival) => ["festival", festival]));
  if (last) query.set("last", last);
  const opened = new EventSource(`/live?${query}`);
  source = opened;
  opened.addEventListener("state", (event) => void (last = event.lastEventId));
  opened.addEventListener("changed", (event) => {
    last = event.lastEventId;
    const festival = JSON.parse(event.data);
    channel.postMessage({ changed: festival });
    tell(festival);
  });
  opened.addEventListener("error", () => {
    // The browser itself connects again, but not after an answer that is no stream.
    if (opened.readyState === EventSource.CLOSED && source === opened) setTimeout(connect, 5000);
  });
}

function want(/** @type {string} */ festival) {
  if (!festival) return;
  const isNew = !wanted.delete(festival);
  wanted.add(festival);
  for (const oldest of [...wanted].slice(0, -MOST_FESTIVALS)) wanted.delete(oldest);
  if (isNew) connect();
}

channel.addEventListener("message", (event) => {
  const { changed, watch, ask } = event.data;
  if (changed) tell(changed);
  if (watch) want(watch);
  if (ask && shown()) channel.postMessage({ watch: shown() });
});

function follow() {
  const festival = shown();
  if (!festival) return;
  want(festival);
  channel.postMessage({ watch: festival });
}

follow();
document.body.addEventListener("htmx:afterSettle", follow);
// The festival of a tab that was long in the background may be forgotten.
document.addEventListener("visibilitychange", follow);
navigator.locks?.request("karya-live", () => {
  isLeader = true;
  connect();
  channel.postMessage({ ask: true });
  // The lock is held for as long as the tab lives.
  return new Promise(() => {});
});
