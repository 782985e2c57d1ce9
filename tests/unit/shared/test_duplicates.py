"""A name that comes twice in one object is found at any depth and in any spelling, and none where there is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.duplicates import each_once, name_twice

TWICE = {
    b'{"qty":1,"qty":-1}': ("qty",),
    b'{"qty":1,"\\u0071ty":-1}': ("qty",),
    b'{"qty" :1, "a":2,\n"qty"\t:-1}': ("qty",),
    b'{"lots":[{"lot":"A"},{"lot":"B","qty":1,"lot":"C"}]}': ("lots", 1, "lot"),
    b'{"a":{"b":{"":1,"":1}}}': ("a", "b", ""),
    b'{"unknown":1,"lot":"x","unknown":1}': ("unknown",),
    b'{"a":"b",":x":1,"c":",",":x":2}': (":x",),
    b'{"a":{"b":1,"b":2},"a":1}': ("a",),
}
ONCE = [
    b"{}",
    b'{"lots":[{"lot":"A"},{"lot":"B"}],"lot":"C"}',
    b'{"a":"\\"a\\":","b":"a"}',
    b'{"a":{"a":{"a":1}}}',
    b'{"a":%s}' % (b"9" * 5000),
]


@pytest.mark.parametrize("value", TWICE, ids=repr)
def test_a_name_that_comes_twice_is_found(value: bytes) -> None:
    assert name_twice(value) == TWICE[value]
    # However few different names a reader found.
    assert not each_once(value, value.count(b":") - 1)


@pytest.mark.parametrize("value", ONCE, ids=lambda value: value.decode()[:40])
def test_the_same_name_in_two_objects_is_right(value: bytes) -> None:
    assert name_twice(value) is None


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=2), JSONS, max_size=4), st.sampled_from([None, 1]), st.booleans())
def test_what_is_certain_is_true(value: dict[str, Any], indent: int | None, escaped: bool) -> None:
    written = json.dumps(value, indent=indent, ensure_ascii=escaped, separators=(",", ":")).encode()
    assert name_twice(written) is None
    for name in value:
        again = b"{%s:1,%s" % (json.dumps(name).encode(), written.lstrip()[1:])
        assert name_twice(again) == (name,)
        assert not each_once(again, len(value))


def test_twenty_thousand_names_and_one_of_them_twice_are_read_once() -> None:
    names = [*map(str, range(20_000)), "19999"]
    assert name_twice(b"{%s}" % b",".join(b'"%s":1' % name.encode() for name in names)) == ("19999",)
