"""The nearest names to a mistyped one."""

from shared.nearest import nearest

NAMES = {"KTI": ["Kain tenun ikat"], "TTN": ["Tas tenun"], "KRJ": ["Kerajinan tangan"], "SVR": ["Suvenir"]}


def test_codes_and_names_are_compared_whatever_their_case() -> None:
    assert nearest("ktj", NAMES) == ["KRJ", "KTI"]
    assert nearest("tenun", NAMES) == ["KTI", "TTN"]
    assert nearest("Souvenir", NAMES) == ["SVR"]
    assert nearest("xyz", NAMES) == []


def test_at_most_three_are_shown() -> None:
    assert nearest("kain", {f"K{n}": ["kain"] for n in range(9)}) == ["K0", "K1", "K2"]
