"""Documents of receipts: what the queries of waiting and disputed receipts find."""

from services.sales.store import RECEIPTS
from tests.support.builders.sales import a_closing, a_last_word, open_booth


def test_only_receipts_in_doubt_have_the_fields_that_are_asked_for() -> None:
    world = open_booth(qty=1)
    world.sell("sold", 1, "L1", 1)
    world.sell("over", 2, "L1", 1)
    documents = {name: RECEIPTS.to_document(world.receipt(name)) for name in ("sold", "over")}
    fields = {name: sorted(document.keys() & {*RECEIPTS.sparse}) for name, document in documents.items()}
    assert fields == {"sold": [], "over": ["waiting"]}
    world.give(a_last_word(3), a_last_word(1, till="T2"), a_closing())
    settled = RECEIPTS.to_document(world.receipt("over"))
    assert sorted(settled.keys() & {*RECEIPTS.sparse}) == ["disputed"]
