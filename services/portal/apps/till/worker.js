/** Keeps the files of the till, so that it opens without a network. The page decides when a new version takes over. */
importScripts("files.js");

const worker = /** @type {any} */ (self);
const { version, names } = worker.FILES;
const PREFIX = "karya-till-";
const CACHE = `${PREFIX}${version}`;
const HOME = names[0];

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(names.map((/** @type {string} */ name) => new Request(name, { cache: "no-cache" })))),
  );
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(
    caches
      .keys()
      .then((keys) => Promise.all(keys.filter((key) => key.startsWith(PREFIX) && key !== CACHE).map((key) => caches.delete(key))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("message", (/** @type {any} */ event) => {
  if (event.data === "take-over") worker.skipWaiting();
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  const name = request.mode === "navigate" ? HOME : pathname;
  if (!names.includes(name)) return;
  event.respondWith(caches.open(CACHE).then(async (cache) => (await cache.match(name)) ?? fetch(request)));
});
