"""What is said of a plan, in English and in Indonesian: one sentence each."""

from collections.abc import Sequence
from typing import NamedTuple

from services.festival.domain.planning.terms import ExcludedStock
from shared.events.festival import LineReason, LotReason, PlanRule
from shared.events.language import MAX_TEXT

SHOWN = 3


class Bilingual(NamedTuple):
    """One sentence in two languages."""

    en: str
    id: str


_WHY = {
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
_FIRST = {
    LotReason.ONLY: Bilingual("{lot} is its only lot of it.", "{lot} satu-satunya lot produk itu."),
    LotReason.SPOILS_FIRST: Bilingual("{lot} spoils first.", "{lot} yang paling dulu kedaluwarsa."),
    LotReason.OLDEST: Bilingual("{lot} is its oldest lot.", "{lot} lot yang paling lama dibuat."),
    LotReason.NEXT: Bilingual(
        "{lot} is next after the lots used up.", "{lot} giliran berikutnya setelah lot terdahulu habis."
    ),
}


def line(why: LineReason, first: LotReason, *, facility: str, product: str, booth: str, lot: str) -> Bilingual:
    """Why this facility serves the booth, and why with this lot."""
    names = {"facility": facility, "product": product, "booth": booth, "lot": lot}
    chosen, taken = _WHY[why], _FIRST[first]
    return Bilingual(f"{chosen.en}; {taken.en}".format(**names), f"{chosen.id}; {taken.id}".format(**names))


def share(
    offered: int,
    allocated: int,
    weight: int,
    *,
    unasked: Sequence[str],
    no_room: Sequence[str],
    others: Sequence[str],
) -> Bilingual:
    """What bound a facility's share. `unasked`, `no_room`: the products of which it has some left."""
    if allocated == offered:
        return Bilingual(
            f"All {offered} pieces that it could offer of what was asked are taken.",
            f"Semua {offered} buah yang dapat ditawarkannya dari yang diminta terpakai.",
        )
    percent = allocated * 100 // offered
    weighed = Bilingual(f", weight {weight}", f", bobot {weight}") if weight != 1 else Bilingual("", "")
    got = Bilingual(
        f"{allocated} of {offered} pieces ({percent} %{weighed.en})",
        f"{allocated} dari {offered} buah ({percent} %{weighed.id})",
    )
    if not unasked and not no_room:
        return Bilingual(
            f"{got.en}: all that it has left of what was asked is taken.",
            f"{got.id}: semua sisanya dari yang diminta terpakai.",
        )
    bounds_en, bounds_id = [], []
    if unasked:
        bounds_en.append(f"no more was asked of {_names(unasked, 'and')}")
        bounds_id.append(f"{_names(unasked, 'dan')} tidak diminta lebih banyak")
    if no_room:
        bounds_en.append(f"the booths have no room for more of {_names(no_room, 'and')}")
        bounds_id.append(f"stan tidak dapat menampung {_names(no_room, 'dan')} lebih banyak")
    bound = Bilingual(f"{got.en}: {' and '.join(bounds_en)}", f"{got.id}: {' dan '.join(bounds_id)}")
    if not others:
        return _cut(f"{bound.en}.", f"{bound.id}.")
    return _cut(
        f"{bound.en}, which {_names(others, 'and')} can give too; the smallest share is made as large as it can be.",
        f"{bound.id}, dan {_names(others, 'dan')} juga dapat memberikannya; bagian terkecil dibuat sebesar mungkin.",
    )


def kept_out(kept: Sequence[ExcludedStock]) -> Bilingual:
    """Why nothing of a facility can be planned."""
    reasons = _kept(kept)
    return _cut(f"Nothing of it can be planned: {reasons.en}.", f"Tidak ada yang dapat direncanakan: {reasons.id}.")


def lacking(booth: str, product: str, asked: int, short: int, why: Bilingual) -> Bilingual:
    """Of a demand that is not met in full."""
    return _cut(
        f"{booth} lacks {short} of {asked} pieces of {product}: {why.en}.",
        f"{booth} kekurangan {short} dari {asked} {product}: {why.id}.",
    )


def no_room(room: int, wanted: int) -> Bilingual:
    return Bilingual(
        f"the booth has room for {room} more pieces and would like {wanted}",
        f"stan itu masih dapat menampung {room} buah, padahal menginginkan {wanted}",
    )


def no_room_of_kind(room: int, wanted: int) -> Bilingual:
    return Bilingual(
        f"the booth has room for {room} more pieces of this category and would like {wanted}",
        f"stan itu masih dapat menerima {room} buah dari kategori ini, padahal menginginkan {wanted}",
    )


def no_stock(there: int, kept: Sequence[ExcludedStock]) -> Bilingual:
    has = (
        Bilingual(f"all {there} pieces that can be had are given out", f"semua {there} buah yang ada sudah dibagikan")
        if there
        else Bilingual("no facility has any that can be planned", "tidak ada satuan kerja yang dapat menyediakannya")
    )
    return joined(has, _kept(kept)) if kept else has


def nothing_else() -> Bilingual:
    return Bilingual(
        "inventory had no more of what was planned, and nothing else can be planned",
        "persediaan yang direncanakan sudah habis, dan tidak ada yang lain yang dapat direncanakan",
    )


def joined(first: Bilingual, second: Bilingual) -> Bilingual:
    return Bilingual(f"{first.en}, and {second.en}", f"{first.id}, dan {second.id}")


def revised(own: str, causes: Sequence[Bilingual], *, back: int, found: int, missing: int) -> Bilingual:
    """What a revision does, in pieces; `own`: the organiser's words for it."""
    en = " and ".join(cause.en for cause in causes) or "some pieces were missing"
    id = " dan ".join(cause.id for cause in causes) or "ada yang kurang"
    if back:
        en, id = f"{en}; {back} pieces go back", f"{id}; {back} buah dikembalikan"
    if missing:
        en = f"{en}; {found} of {missing} missing pieces are planned again"
        id = f"{id}; {found} dari {missing} buah yang kurang direncanakan lagi"
    before = f"{own[:200]}: " if own else ""
    return _cut(f"{before}{en}.", f"{before}{id}.")


def cannot_send(facilities: Sequence[str]) -> Bilingual:
    return Bilingual(f"{_names(facilities, 'and')} can't send", f"{_names(facilities, 'dan')} tidak dapat mengirim")


def closed(booths: Sequence[str]) -> Bilingual:
    return Bilingual(f"{_names(booths, 'and')} closed", f"{_names(booths, 'dan')} tutup")


def lost_on_the_way(qty: int) -> Bilingual:
    return Bilingual(f"{qty} pieces were lost on the way", f"{qty} buah hilang di jalan")


def recalled(qty: int) -> Bilingual:
    return Bilingual(f"{qty} pieces were recalled", f"{qty} buah ditarik")


_KEPT = {
    (PlanRule.BEST_BEFORE,): Bilingual("do not keep beyond the festival", "tidak tahan sampai festival usai"),
    (PlanRule.LEAD_TIME,): Bilingual("would come after the opening", "baru tiba setelah pembukaan"),
    (PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME): Bilingual(
        "do not keep beyond the festival and would come after the opening",
        "tidak tahan sampai festival usai dan baru tiba setelah pembukaan",
    ),
}


def _kept(kept: Sequence[ExcludedStock]) -> Bilingual:
    en, id = [], []
    for rules in sorted({one.rules for one in kept}):
        of = [one for one in kept if one.rules == rules]
        qty, facilities = sum(one.qty for one in of), sorted({one.facility for one in of})
        en.append(f"{qty} pieces of {_names(facilities, 'and')} {_KEPT[rules].en}")
        id.append(f"{qty} buah dari {_names(facilities, 'dan')} {_KEPT[rules].id}")
    return Bilingual(" and ".join(en), " dan ".join(id))


def _cut(en: str, id: str) -> Bilingual:
    """Three names for each of three reasons, and the booth's: now and then that is more than an event may say."""
    return Bilingual(*(text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…" for text in (en, id)))


def _names(names: Sequence[str], last: str) -> str:
    """At most three, each cut short: a sentence must fit into an event, and be read."""
    shown = ", ".join(name[:40] for name in names[:SHOWN])
    more = {"and": "more", "dan": "lainnya"}[last]
    return shown if len(names) <= SHOWN else f"{shown} {last} {len(names) - SHOWN} {more}"
