/** Times and kinds of records as people at the place read them. */
import { tr } from "./words.js";

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

/** What a record is about. @param {string} kind */
export function recordName(kind) {
  const names = /** @type {Record<string, string>} */ ({
    DeviceIntroduced: tr("Device introduced"),
    ReceiptIssued: tr("Sale"),
    ReceiptVoided: tr("Goods taken back"),
    DrawerOpened: tr("Drawer taken"),
    CashDropped: tr("Money taken away"),
    CashCounted: tr("Drawer counted"),
    BoothCounted: tr("Goods counted"),
    RecordTakenOut: tr("Sale taken out"),
    TillClosed: tr("Till closed"),
    ProductionReported: tr("Goods made"),
    ProductionCorrected: tr("Pieces corrected"),
    RecallLot: tr("Lot recalled"),
    LiftRecall: tr("Recall lifted"),
    WithdrawReport: tr("Report withdrawn"),
  });
  return names[kind] ?? kind;
}
