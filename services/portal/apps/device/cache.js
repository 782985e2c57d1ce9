/** The worker of an app: keeps its files, so that it opens without a network, and serves one version of them.
 *
 * A browser activates a new worker by itself once every tab is closed, also while records are unsent. So an active
 * worker goes on serving the former version until a page says that nothing is unsent: `take-over`. Which version is
 * served is kept beside the files. The former files stay until the new version `works`, that is, has read what this
 * device has kept. Otherwise it says `go-back`. Its address in the folder of the app is the scope. */
const worker = /** @type {any} */ (self);
const { app, version, names } = worker.FILES;
const PREFIX = `karya-${app}-`;
const SERVED = `karya-${app}:served`;
const HOME = names[0];
/** A page asks for it to know which version it is of. */
const VERSION = `${HOME}version`;
/** For so long a version that has not said that it works is opened again. */
const TRIAL = 60_000;
/** After so long a version that did not work may try again. */
const RETRY = 3_600_000;
/** A browser that can't activate a worker now does it later. */
const PATIENCE = 5_000;

/** @typedef {{ version: string, names: string[] }} Version */
/** @typedef {Version & { works: boolean, former: Version | null, tried: number | null,
 *   refused: { version: string, until: number } | null }} Served `former`: goes on if this one does not work.
 *   `tried`: when this one was opened first. `refused`: one that did not work. */

/** @type {Version} */
const OWN = { version, names };
const UNTRIED = { ...OWN, works: false, former: null, tried: null, refused: null };

/** @param {string} name */
const newest = (name) => new Request(name, { cache: "no-cache" });
/** @param {Version} of */
const cacheOf = (of) => `${PREFIX}${of.version}`;
/** One change of what is served at a time, whichever worker makes it. @param {() => Promise<any>} act */
const inTurn = (act) => navigator.locks.request(SERVED, act);

/** @returns {Promise<Served | null>} */
async function served() {
  return (await (await caches.match(HOME, { cacheName: SERVED }))?.json()) ?? null;
}

/** @param {Served} choice */
async function serve(choice) {
  const cache = await caches.open(SERVED);
  await cache.put(HOME, new Response(JSON.stringify(choice)));
  return choice;
}

/** Whether all files of a version are here. @param {Version} of */
async function isWhole(of) {
  if (!(await caches.has(cacheOf(of)))) return false;
  const requests = await (await caches.open(cacheOf(of))).keys();
  const kept = new Set(requests.map(({ url }) => new URL(url).pathname));
  return of.names.every((name) => kept.has(name));
}

/** Fetch the files of this version. A server that has another one meanwhile must not mix the two. */
async function fill() {
  if (await isWhole(OWN)) return;
  const answers = await Promise.all(names.map((/** @type {string} */ name) => fetch(newest(name))));
  const list = await (await fetch(newest("files.js"))).text();
  if (!answers.every(({ ok }) => ok) || !list.includes(`"${version}"`)) throw new Error("the server changes");
  const cache = await caches.open(cacheOf(OWN));
  await Promise.all(answers.map((answer, index) => cache.put(names[index], answer)));
  await cache.put(VERSION, new Response(version));
}

/** Tell every page of the app that another version is served. */
async function tell() {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) if (new URL(page.url).pathname.startsWith(HOME)) page.postMessage("other-version");
}

/** The version for a page that is opened. */
async function opened() {
  let now = await served();
  if (now && !now.works && now.former) {
    if (now.tried === null) now = await serve({ ...now, tried: Date.now() });
    else if (Math.abs(Date.now() - now.tried) > TRIAL) now = await goneBack(now, now.former);
  }
  // Of files that the browser has thrown away in part no whole version can be served any more.
  const isGone = now && now.version !== version && !(await isWhole(now));
  return isGone && (await isWhole(OWN)) ? serve(UNTRIED) : now;
}

/** @param {Served} now @param {Version} former */
async function goneBack(now, former) {
  const refused = { version: now.version, until: Date.now() + RETRY };
  const choice = await serve({ ...former, works: true, former: null, tried: null, refused });
  await tell();
  return choice;
}

/** @type {Record<string, (by: string) => Promise<void>>} What a page says, and what follows. `by`: its version. */
const SAID = {
  "take-over": async () => {
    await fill();
    const isOther = await inTurn(async () => {
      const now = await served();
      const refused = now?.refused ?? { version: "", until: 0 };
      if (now?.version === version || (refused.version === version && Date.now() < refused.until)) return false;
      await serve({ ...UNTRIED, former: now && { version: now.version, names: now.names } });
      return true;
    });
    // A page that opens anew before this worker is active can keep it from becoming so.
    await Promise.race([worker.skipWaiting(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    if (isOther) await tell();
  },
  works: (by) =>
    inTurn(async () => {
      const now = await served();
      if (!now || now.works || now.version !== by) return;
      await serve({ ...now, works: true, former: null });
      if (now.former) await caches.delete(cacheOf(now.former));
    }),
  "go-back": (by) =>
    inTurn(async () => {
      const now = await served();
      if (!now || now.version !== by) return;
      if (now.former && !now.works) await goneBack(now, now.former);
      else if (now.refused && now.version !== version) {
        // Neither works. The newest may know more, and there is no way back from it.
        await serve({ ...UNTRIED, works: true });
        await tell();
      }
    }),
};

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(fill().then(() => inTurn(async () => (await served()) ?? serve(UNTRIED))));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  const clean = async () => {
    const now = await served();
    // Nobody has seen the served version work, and there is none before it.
    const choice = now && (now.works || now.former) ? now : await serve(UNTRIED);
    const kept = [OWN, choice, choice.former].map((of) => of && cacheOf(of));
    const keys = (await caches.keys()).filter((key) => key.startsWith(PREFIX) && !kept.includes(key));
    await Promise.all(keys.map((key) => caches.delete(key)));
  };
  event.waitUntil(inTurn(clean).then(() => worker.clients.claim()));
});

worker.addEventListener("message", (/** @type {any} */ event) => {
  const [said, by] = String(event.data).split(" ");
  const act = SAID[said];
  if (act) event.waitUntil(act(by));
});

/** @param {Request} request @param {string} pathname */
async function answered(request, pathname) {
  const isPage = request.mode === "navigate";
  // A full disk keeps no choice, and must not close the app.
  const now = isPage ? await inTurn(opened).catch(served) : await served();
  const kept = now && (await caches.match(isPage ? HOME : pathname, { cacheName: cacheOf(now) }));
  return kept ?? fetch(request);
}

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  // What the services are asked is never kept.
  if (request.method !== "GET" || origin !== location.origin || request.cache === "no-store") return;
  event.respondWith(answered(request, pathname));
});
