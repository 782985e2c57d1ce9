/** Names and times as a cashier reads them. */

/** `14:30 WITA`, in the zone of the booth. @param {string | number} moment @param {string | null} zone */
export function timeOfDay(moment, zone) {
  const names = /** @type {Record<string, string>} */ ({
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
  });
  const form = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone ?? undefined });
  const name = zone ? (names[zone] ?? "") : "";
  return `${form.format(new Date(moment))} ${name}`.trim();
}

/** @param {import("./main.js").App} app @param {string} product */
export function nameOf(app, product) {
  return app.booth.names.get(product) ?? product;
}
