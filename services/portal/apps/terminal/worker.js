/** The worker of the terminal. */
const scope = /** @type {any} */ (self);
scope.importScripts("files.js", "../device/cache.js");
