/** Times as people at the place read them. */

/** `14:30 WITA`, in the zone of the place. @param {string | number} moment @param {string | null} zone */
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
