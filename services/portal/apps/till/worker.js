/** The worker of the till. */
/** @type {any} */ (self).importScripts("files.js", "../device/cache.js");
