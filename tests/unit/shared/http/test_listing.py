"""The address of the next page, whatever name stands in the path."""

from urllib.parse import unquote

import pytest
from fastapi import Request

from shared.http.listing import next_page

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["KTI", "€", "\x00", "a\r\nX: 1", ">; rel=x", "a b", "a?b", "a#b"])
def test_a_name_in_the_path_leaves_the_header_whole(name: str) -> None:
    scope = {
        "type": "http",
        "scheme": "http",
        "server": ("localhost", 80),
        "path": f"/stock/{name}",
        "query_string": b"limit=1&after=0-1",
        "headers": [],
    }
    link = next_page(Request(scope), "0-1,1-2")
    assert link.encode("latin-1").isascii()
    assert link.isprintable()
    address, rest = link[1:].split(">", 1)
    assert rest == '; rel="next"'
    assert unquote(address.partition("?")[0]) == f"/stock/{name}"
