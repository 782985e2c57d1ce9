"""Rejections of reports, in sentences for the person at the terminal.

No message repeats the typed value. Answers are kept forever, and a name may have been typed by mistake.
"""

from dataclasses import dataclass

from shared.events.production import Refusal


@dataclass(frozen=True, slots=True)
class ReportRejection:
    """The wrong field, the reason for programs, and advice in English and (`message_id`) Indonesian."""

    field: str
    reason: Refusal
    message: str
    message_id: str


UNKNOWN_FACILITY = ReportRejection(
    "facility",
    Refusal.UNKNOWN_FACILITY,
    "This facility code is not in the list. Please check the terminal's settings.",
    "Kode unit ini tidak ada dalam daftar. Mohon periksa pengaturan terminal.",
)
UNKNOWN_PRODUCT = ReportRejection(
    "product",
    Refusal.UNKNOWN_PRODUCT,
    "This product code is not in the catalogue. It has three letters; please choose it from the list.",
    "Kode produk ini tidak ada dalam katalog. Kode terdiri dari tiga huruf; mohon pilih dari daftar.",
)
NOT_MADE_HERE = ReportRejection(
    "product",
    Refusal.NOT_MADE_HERE,
    "This product is not listed for your facility. If you have begun to make it, ask for it to be added.",
    "Produk ini belum terdaftar untuk unit Anda. Bila sudah mulai dibuat, mintalah agar ditambahkan.",
)
NOT_POSITIVE = ReportRejection(
    "qty",
    Refusal.NOT_POSITIVE,
    "The quantity must be at least 1.",
    "Jumlah harus sekurang-kurangnya 1.",
)
IN_FUTURE = ReportRejection(
    "made_on",
    Refusal.IN_FUTURE,
    "The day of making has not come yet. Please check the date, and the terminal's clock.",
    "Tanggal pembuatan belum tiba. Mohon periksa tanggal dan jam terminal.",
)
TOO_OLD = ReportRejection(
    "made_on",
    Refusal.TOO_OLD,
    "The day of making is more than 400 days ago. Please check the year.",
    "Tanggal pembuatan sudah lebih dari 400 hari yang lalu. Mohon periksa tahunnya.",
)
BEFORE_MADE = ReportRejection(
    "best_before",
    Refusal.BEFORE_MADE,
    "The best-before day is earlier than the day of making.",
    "Tanggal baik digunakan sebelum mendahului tanggal pembuatan.",
)
MISTYPED_LOT = ReportRejection(
    "lot",
    Refusal.UNKNOWN_LOT,
    "This is not a lot number: its check character does not fit. Please compare it with the label.",
    "Ini bukan nomor lot: karakter pemeriksanya tidak cocok. Mohon bandingkan dengan label.",
)
UNKNOWN_LOT = ReportRejection(
    "lot",
    Refusal.UNKNOWN_LOT,
    "No lot with this number is recorded. Please compare it with the label.",
    "Belum ada lot yang tercatat dengan nomor ini. Mohon bandingkan dengan label.",
)
OTHER_FACILITY = ReportRejection(
    "lot",
    Refusal.OTHER_FACILITY,
    "This lot was made by another facility; only that facility can change it.",
    "Lot ini dibuat oleh unit lain; hanya unit tersebut yang dapat mengubahnya.",
)
NO_CHANGE = ReportRejection(
    "change",
    Refusal.NO_CHANGE,
    "The change is 0: nothing to correct. Say how many more (+) or fewer (-) there are than recorded.",
    "Perubahannya 0: tidak ada yang dikoreksi. Sebutkan berapa lebihnya (+) atau kurangnya (-).",
)
NOT_ENOUGH_STOCK = ReportRejection(
    "change",
    Refusal.NOT_ENOUGH_STOCK,
    "Fewer pieces of this lot are on hand than the correction takes away; the rest is reserved or sent.",
    "Sisa lot ini di unit lebih sedikit daripada koreksinya; selebihnya sudah dipesan atau dikirim.",
)
ALREADY_RECALLED = ReportRejection(
    "lot",
    Refusal.ALREADY_RECALLED,
    "This lot is already recalled; nothing more needs to be done.",
    "Lot ini sudah ditarik; tidak perlu tindakan lagi.",
)
NOT_RECALLED = ReportRejection(
    "lot",
    Refusal.NOT_RECALLED,
    "This lot is not recalled; there is nothing to lift. Please compare its number with the label.",
    "Lot ini tidak sedang ditarik; tidak ada yang perlu dibatalkan. Mohon bandingkan nomornya dengan label.",
)
NO_REASON = ReportRejection(
    "reason",
    Refusal.NO_REASON,
    "A recall is lifted only with a reason. Please say in a few words why the lot may be sold again.",
    "Penarikan hanya dibatalkan dengan alasan. Mohon sebutkan singkat mengapa lot ini boleh dijual lagi.",
)
WITHDRAWN = ReportRejection(
    "lot",
    Refusal.WITHDRAWN,
    "The report of this lot was withdrawn, so there is no such lot. Please record its pieces as a new lot.",
    "Laporan lot ini sudah dicabut, jadi lot ini tidak ada lagi. Mohon catat barangnya sebagai lot baru.",
)
PROMISED = ReportRejection(
    "lot",
    Refusal.PROMISED,
    "Pieces of this lot are reserved or were sent, so its report stays. Please correct it, or recall the lot.",
    "Sebagian lot ini sudah dipesan atau dikirim, jadi laporannya tetap. Mohon koreksi atau tarik lot ini.",
)
DAY_FULL = ReportRejection(
    "made_on",
    Refusal.DAY_FULL,
    "All lot numbers of this product for this day are used up. Please put the pieces into one larger lot.",
    "Semua nomor lot produk ini untuk tanggal tersebut sudah terpakai. Mohon gabungkan menjadi satu lot.",
)
ID_REUSED = ReportRejection(
    "id",
    Refusal.ID_REUSED,
    "Another terminal has sent a report with this id. Please enter it again as a new report.",
    "Laporan dengan id ini sudah dikirim terminal lain. Mohon masukkan lagi sebagai laporan baru.",
)


def too_large(field: str, max_qty: int, unit: str) -> ReportRejection:
    """The rejection of a quantity above the product's limit."""
    return ReportRejection(
        field,
        Refusal.TOO_LARGE,
        f"More than {max_qty} ({unit}) of this product at once looks like a typing error. If it is right, "
        "report it in parts.",
        f"Lebih dari {max_qty} {unit} sekaligus untuk produk ini tampak seperti salah ketik. Bila benar, "
        "laporkan dalam beberapa bagian.",
    )


def beyond_shelf_life(days: int) -> ReportRejection:
    """The rejection of a best-before day after the product's shelf life."""
    return ReportRejection(
        "best_before",
        Refusal.BEYOND_SHELF_LIFE,
        f"This product keeps for {days} days; the best-before day is later. Leave it out to have it worked out.",
        f"Produk ini tahan {days} hari; tanggal baik digunakan sebelum melewatinya. Kosongkan agar dihitung "
        "otomatis.",
    )
