"""The page at `/docs` of each service needs no other host: every file that it names comes from the service."""

import re
from importlib import import_module
from urllib.parse import urljoin

import httpx
import pytest

from shared.http.server import application
from shared.runtime.service import Service
from shared.settings import Settings

pytestmark = pytest.mark.unit

BASE = "http://localhost/behind/a/prefix/"
NAMED = re.compile(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""")
INLINE = re.compile(r"<script(?![^>]* src=)|<[^>]*\son\w+\s*=|javascript:")
LOADED_BY_STYLE = re.compile(rb"""url\(\s*["']?([^"')]{1,40})|@import\s+([^;]{1,40})""")


@pytest.fixture(scope="module", params=("production", "inventory", "festival", "sales", "identity", "gateway"))
def api(request: pytest.FixtureRequest) -> httpx.AsyncClient:
    """A service's application, which is not started."""
    name = request.param
    service = Service(name, (), Settings())
    app = application(service, f"Karya {name}", import_module(f"services.{name}.api").routes(service))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")


async def test_the_page_names_no_other_host_and_all_that_it_names_is_here(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.status_code == 200
    start = await api.get("/docs/docs.js")
    assert start.headers["content-type"].startswith("text/javascript")
    text = page.text + start.text
    named = NAMED.findall(text)
    assert len(named) == 5, "style, icon, two scripts and the OpenAPI document"
    assert "//" not in re.sub(r"(?m)^\s*// .*$|<!--.*?-->", "", text)
    for address in named:
        target = urljoin(f"{BASE}docs", address)
        assert target.startswith(BASE), "relative, so that the page works behind a prefix"
        answer = await api.get("/" + target.removeprefix(BASE))
        assert answer.status_code == 200, address
        assert answer.content


async def test_the_style_loads_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    style = (await api.get("/docs/swagger-ui.css")).content
    loaded = [b"".join(match) for match in LOADED_BY_STYLE.findall(style)]
    assert loaded
    assert all(address.startswith(b"data:") for address in loaded), loaded


async def test_the_browser_is_told_to_ask_no_other_host(api: httpx.AsyncClient) -> None:
    policy = (await api.get("/docs")).headers["content-security-policy"]
    sources = {source for directive in policy.split(";") for source in directive.split()[1:]}
    assert sources == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert policy.startswith("default-src 'none'")
    assert "script-src 'self';" in policy
    assert "validatorUrl: null" in (await api.get("/docs/docs.js")).text


async def test_no_script_stands_in_the_page_itself(api: httpx.AsyncClient) -> None:
    text = (await api.get("/docs")).text
    assert INLINE.findall("<script>run()</script> <p onclick='run()'> <a href='javascript:run()'>"), "can be seen"
    assert not INLINE.findall(text)


async def test_nothing_else_of_the_files_folder_is_served(api: httpx.AsyncClient) -> None:
    for asset in ("redoc.standalone.js", "..%2Fcore.py", "__init__.py", ""):
        assert (await api.get(f"/docs/{asset}")).status_code == 404
    assert (await api.get("/redoc")).status_code == 404
