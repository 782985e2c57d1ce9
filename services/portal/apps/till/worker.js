/** The worker of the till. */
{
  const scope = /** @type {any} */ (self);
  scope.importScripts("files.js", "../device/cache.js");
}
