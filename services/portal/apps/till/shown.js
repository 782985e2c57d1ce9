/** Names as a cashier reads them. */

/** @param {import("./main.js").App} app @param {string} product */
export function nameOf(app, product) {
  return app.booth.names.get(product) ?? product;
}
