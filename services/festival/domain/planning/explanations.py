"""The explanations of a plan, one sentence each, in English and Indonesian."""

from collections.abc import Sequence

from services.festival.domain.bilingual import Bilingual
from services.festival.domain.planning.terms import ExcludedStock
from shared.events.festival import LineReason, LotReason, PlanRule
from shared.events.language import MAX_TEXT

SHOWN = 3


_FACILITY_REASONS = {
    LineReason.ONLY: Bilingual("Only {facility} offers {product}", "Hanya {facility} yang menawarkan {product}"),
    LineReason.TOGETHER: Bilingual(
        "{facility} gives its fair share and sends other goods to {booth} too",
        "{facility} memberi bagiannya yang adil dan juga mengirim barang lain ke {booth}",
    ),
    LineReason.SHARE: Bilingual(
        "These pieces are part of the fair share of {facility}",
        "Jumlah ini termasuk bagian yang adil bagi {facility}",
    ),
}
_LOT_REASONS = {
    LotReason.ONLY: Bilingual("{lot} is its only lot of it.", "{lot} satu-satunya lot produk itu."),
    LotReason.SPOILS_FIRST: Bilingual("{lot} spoils first.", "{lot} yang paling dulu kedaluwarsa."),
    LotReason.OLDEST: Bilingual("{lot} is its oldest lot.", "{lot} lot yang paling lama dibuat."),
    LotReason.NEXT: Bilingual(
        "{lot} is next after the lots used up.", "{lot} giliran berikutnya setelah lot terdahulu habis."
    ),
}


def line(why: LineReason, first: LotReason, *, facility: str, product: str, booth: str, lot: str) -> Bilingual:
    """The reason for the facility that serves a booth, and for the lot."""
    names = {"facility": facility, "product": product, "booth": booth, "lot": lot}
    facility_reason, lot_reason = _FACILITY_REASONS[why], _LOT_REASONS[first]
    return Bilingual(
        f"{facility_reason.en}; {lot_reason.en}".format(**names),
        f"{facility_reason.id}; {lot_reason.id}".format(**names),
    )


def share(
    offered: int,
    allocated: int,
    weight: int,
    *,
    unasked: Sequence[str],
    no_room: Sequence[str],
    givers: Sequence[str],
) -> Bilingual:
    """The bound of a facility's share. `unasked`, `no_room`: the products of which it has some left, by reason."""
    if allocated == offered:
        return Bilingual(
            f"All {offered} pieces that it could offer of what was asked are taken.",
            f"Semua {offered} buah yang dapat ditawarkannya dari yang diminta terpakai.",
        )
    percent = allocated * 100 // offered
    weighed = Bilingual(f", weight {weight}", f", bobot {weight}") if weight != 1 else Bilingual("", "")
    portion = Bilingual(
        f"{allocated} of {offered} pieces ({percent} %{weighed.en})",
        f"{allocated} dari {offered} buah ({percent} %{weighed.id})",
    )
    if not unasked and not no_room:
        return Bilingual(
            f"{portion.en}: all that it has left of what was asked is taken.",
            f"{portion.id}: semua sisanya dari yang diminta terpakai.",
        )
    bounds_en, bounds_id = [], []
    if unasked:
        bounds_en.append(f"no more was asked of {_listed(unasked, 'and')}")
        bounds_id.append(f"{_listed(unasked, 'dan')} tidak diminta lebih banyak")
    if no_room:
        bounds_en.append(f"the booths have no room for more of {_listed(no_room, 'and')}")
        bounds_id.append(f"stan tidak dapat menampung {_listed(no_room, 'dan')} lebih banyak")
    bound = Bilingual(f"{portion.en}: {' and '.join(bounds_en)}", f"{portion.id}: {' dan '.join(bounds_id)}")
    if not givers:
        return _shortened(f"{bound.en}.", f"{bound.id}.")
    return _shortened(
        f"{bound.en}, which {_listed(givers, 'and')} can give too; the smallest share is made as large as it can be.",
        f"{bound.id}, dan {_listed(givers, 'dan')} juga dapat memberikannya; bagian terkecil dibuat sebesar mungkin.",
    )


def kept_out(excluded: Sequence[ExcludedStock]) -> Bilingual:
    """The reason why no piece of a facility can be planned."""
    reasons = _excluded_phrase(excluded)
    return _shortened(
        f"Nothing of it can be planned: {reasons.en}.", f"Tidak ada yang dapat direncanakan: {reasons.id}."
    )


def lacking(booth: str, product: str, requested: int, short: int, why: Bilingual) -> Bilingual:
    """The sentence of a demand that is not met in full."""
    return _shortened(
        f"{booth} lacks {short} of {requested} pieces of {product}: {why.en}.",
        f"{booth} kekurangan {short} dari {requested} {product}: {why.id}.",
    )


def no_room(room: int, requested: int) -> Bilingual:
    return Bilingual(
        f"the booth has room for {room} more pieces and would like {requested}",
        f"stan itu masih dapat menampung {room} buah, padahal menginginkan {requested}",
    )


def no_room_of_kind(room: int, requested: int) -> Bilingual:
    return Bilingual(
        f"the booth has room for {room} more pieces of this category and would like {requested}",
        f"stan itu masih dapat menerima {room} buah dari kategori ini, padahal menginginkan {requested}",
    )


def no_stock(planned: int, excluded: Sequence[ExcludedStock], absent: int = 0) -> Bilingual:
    """The reason of missing stock. `absent`: the pieces that would be missing with the excluded stock too."""
    stock = (
        Bilingual(
            f"all {planned} pieces that can be had are given out", f"semua {planned} buah yang ada sudah dibagikan"
        )
        if planned
        else Bilingual("no facility has any that can be planned", "tidak ada satuan kerja yang dapat menyediakannya")
    )
    if not excluded:
        return stock
    kept_out = _excluded_phrase(excluded)
    if absent:
        more = Bilingual(f"{absent} more do not exist yet", f"{absent} lagi belum ada")
        kept_out = Bilingual(f"{kept_out.en}; {more.en}", f"{kept_out.id}; {more.id}")
    return joined(stock, kept_out)


def nothing_else() -> Bilingual:
    return Bilingual(
        "inventory had no more of what was planned, and nothing else can be planned",
        "persediaan yang direncanakan sudah habis, dan tidak ada yang lain yang dapat direncanakan",
    )


def joined(first: Bilingual, second: Bilingual) -> Bilingual:
    return Bilingual(f"{first.en}, and {second.en}", f"{first.id}, dan {second.id}")


def revised(own: str, causes: Sequence[Bilingual], *, back: int, planned: int, missing: int) -> Bilingual:
    """The effect of a revision, in pieces, behind its causes. `own`: the organiser's reason."""
    en = " and ".join(cause.en for cause in causes) or "some pieces were missing"
    id = " dan ".join(cause.id for cause in causes) or "ada yang kurang"
    if back:
        en, id = f"{en}; {back} pieces go back", f"{id}; {back} buah dikembalikan"
    if missing:
        en = f"{en}; {planned} of {missing} missing pieces are planned again"
        id = f"{id}; {planned} dari {missing} buah yang kurang direncanakan lagi"
    before = f"{own[:200]}: " if own else ""
    return _shortened(f"{before}{en}.", f"{before}{id}.")


def cannot_send(facilities: Sequence[str]) -> Bilingual:
    return Bilingual(f"{_listed(facilities, 'and')} can't send", f"{_listed(facilities, 'dan')} tidak dapat mengirim")


def closed(booths: Sequence[str]) -> Bilingual:
    return Bilingual(f"{_listed(booths, 'and')} closed", f"{_listed(booths, 'dan')} tutup")


def lost_on_the_way(qty: int) -> Bilingual:
    return Bilingual(f"{qty} pieces were lost on the way", f"{qty} buah hilang di jalan")


def recalled(qty: int) -> Bilingual:
    return Bilingual(f"{qty} pieces were recalled", f"{qty} buah ditarik")


_EXCLUDED = {
    (PlanRule.BEST_BEFORE,): Bilingual("would be past their best-before day", "akan melewati tanggal kedaluwarsa"),
    (PlanRule.LEAD_TIME,): Bilingual("would come too late", "akan tiba terlambat"),
    (PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME): Bilingual(
        "would be past their best-before day and come too late",
        "akan melewati tanggal kedaluwarsa dan tiba terlambat",
    ),
    (): Bilingual("", ""),
}
_LEFT_OUT = Bilingual("are left out by the revision", "tidak dipakai menurut revisi")


def _excluded_phrase(excluded: Sequence[ExcludedStock]) -> Bilingual:
    en, id = [], []
    for rules in sorted({stock.rules for stock in excluded}):
        group = [stock for stock in excluded if stock.rules == rules]
        qty, facilities = sum(stock.qty for stock in group), sorted({stock.facility for stock in group})
        phrases = [_EXCLUDED[tuple(rule for rule in rules if rule is not PlanRule.LEFT_OUT)]]
        if PlanRule.LEFT_OUT in rules:
            phrases.append(_LEFT_OUT)
        en.append(f"{qty} pieces of {_listed(facilities, 'and')} {' and '.join(p.en for p in phrases if p.en)}")
        id.append(f"{qty} buah dari {_listed(facilities, 'dan')} {' dan '.join(p.id for p in phrases if p.id)}")
    return Bilingual(" and ".join(en), " dan ".join(id))


def _shortened(en: str, id: str) -> Bilingual:
    """Both sentences, cut to the longest text of an event. Long names can exceed it."""
    return Bilingual(*(text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…" for text in (en, id)))


def _listed(names: Sequence[str], last: str) -> str:
    """At most three names, each cut to 40 characters, and the number of the others.

    A sentence must fit into an event and stay readable.
    """
    listing = ", ".join(name[:40] for name in names[:SHOWN])
    more = {"and": "more", "dan": "lainnya"}[last]
    return listing if len(names) <= SHOWN else f"{listing} {last} {len(names) - SHOWN} {more}"
