"""The reference data is valid, and errors in it are named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.production import reference
from shared.errors import BadReference

GOOD = """
categories: [{code: tenun, name: Tenun}]
products: [{code: KTI, name: Kain tenun ikat, category: tenun, unit: helai, max_qty: 200}]
facilities: [{code: PR-KPG, kind: lapas, name: Lapas, zone: Asia/Makassar, products: [KTI]}]
"""


def test_the_reference_data_is_whole() -> None:
    loaded = reference.load()
    assert len(loaded.catalogue.facilities) == 10
    assert len(loaded.categories) == 8
    made = set().union(*(facility.products for facility in loaded.catalogue.facilities.values()))
    assert made == set(loaded.catalogue.products)
    assert loaded.catalogue.products["KBS"].shelf_life == timedelta(days=2)
    assert len(loaded.festivals) == 4
    assert loaded.islands.keys() == loaded.catalogue.facilities.keys()
    for island in ("timor", "jawa"):
        assert loaded.days_to(island).keys() == loaded.catalogue.facilities.keys()


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("category: tenun", "category: kayu", "product KTI: there is no category kayu"),
        ("products: [KTI]", "products: [KTI, ABC]", "facility PR-KPG: there is no product ABC"),
        ("products: [KTI]", "products: [KTI, KTI]", "facility PR-KPG: product KTI is listed twice"),
        ("categories: [", "categories: [{code: tenun, name: Tenun}, ", "category tenun is listed twice"),
        ("code: KTI", "code: kain", "products.0.code"),
        ("code: PR-KPG", "code: KUPANG", "facilities.0.code"),
        ("max_qty: 200", "max_qty: many", "products.0.max_qty"),
        ("max_qty: 200", "max_qty: 0", "products.0.max_qty"),
        ("unit: helai", "units: helai", "products.0.units"),
        ("zone: Asia/Makassar, ", "", "facilities.0.zone"),
        ("zone: Asia/Makassar", "zone: Asia/Kupang", "Asia/Kupang is not a known time zone"),
        ("code: tenun,", "code: a/b,", "categories.0.code"),
        ("categories:", "categories: [", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named(right: str, wrong: str, message: str) -> None:
    reference.parse(GOOD)
    with pytest.raises(BadReference, match=message.replace("[", r"\[")):
        reference.parse(GOOD.replace(right, wrong))


def test_an_island_that_no_parcel_goes_to_is_named() -> None:
    lead_days = {("timor", "timor"): 1, ("rote", "jawa"): 7}
    loaded = replace(reference.load(), islands={"LP-BAA": "rote"}, lead_days=lead_days)
    with pytest.raises(BadReference, match="No lead time from rote to bali is known; islands are jawa, timor"):
        loaded.days_to("bali")


def test_a_festival_ends_after_it_begins() -> None:
    festival = "{code: A, name: A, place: B, zone: Asia/Jakarta, first_day: 2025-04-02, last_day: 2025-04-01}"
    with pytest.raises(BadReference, match="festival A ends before it begins"):
        reference.parse(GOOD + f"festivals: [{festival}]\n")
