/** The worker of an app: keeps its files, so that it opens without a network. The page says when a new version takes
 * over. Its address in the folder of the app is the scope. */
const worker = /** @type {any} */ (self);
const { app, version, names } = worker.FILES;
const PREFIX = `karya-${app}-`;
const CACHE = `${PREFIX}${version}`;
const HOME = names[0];

/** @param {string} name */
const newest = (name) => new Request(name, { cache: "no-cache" });

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(names.map(newest))),
  );
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(
    caches
      .keys()
      .then((keys) => keys.filter((key) => key.startsWith(PREFIX) && key !== CACHE))
      .then((former) => Promise.all(former.map((key) => caches.delete(key))))
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
