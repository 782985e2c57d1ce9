"""A walk through the portal in a browser that misses no page: by its links, and compared with its routes."""

import re
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from fastapi import FastAPI
from playwright.async_api import Page

from services.portal.api.files import FILE
from services.portal.api.forwarding import ROUTES as FORWARDED

# Of these the browser gets no page.
_NO_PAGES = (
    "/assets/",
    "/apps/",
    "/live",
    "/health",
    "/sign-in/provider",
    *(f"/{service}/" for service in FORWARDED),
)
_PARAMETER = re.compile(r"{[^}]+}")
_LINKS = """() => [
  ...[...document.querySelectorAll("a[href]")].map((link) => link.href),
  ...[...document.querySelectorAll("form[method=get]")].map(
    (form) => `${form.action.split("?")[0]}?${new URLSearchParams(new FormData(form))}`),
]"""


class PagesMissed(AssertionError):
    """Routes of pages that no link leads to."""


@dataclass(frozen=True, slots=True)
class PageRoute:
    """The addresses of one page, for example `/festivals/{festival}`."""

    pattern: str

    @property
    def parameters(self) -> int:
        return len(_PARAMETER.findall(self.pattern))

    def fits(self, path: str) -> bool:
        parts = _PARAMETER.split(self.pattern)
        return re.fullmatch("[^/]+".join(map(re.escape, parts)), path) is not None

    @property
    def name(self) -> str:
        """The name of its picture: `festivals-plans-plan` for `/festivals/{festival}/plans/{plan}`."""
        words = [word for word in re.split(r"[/{}-]+", self.pattern.replace("{festival}/", "")) if word]
        return "-".join(words) or "home"


def page_routes(app: FastAPI) -> list[PageRoute]:
    """The routes of all pages for people, those without parameters first."""
    patterns = [
        pattern
        for pattern, methods in app.openapi()["paths"].items()
        if "get" in methods and not pattern.startswith(_NO_PAGES) and "." not in pattern.rpartition("/")[2]
    ]
    return sorted(map(PageRoute, patterns), key=lambda route: route.parameters)


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that the browser shows now. `name`: as in its route, with the names of its query."""

    route: PageRoute
    path: str
    name: str


@dataclass(slots=True)
class Walk:
    """The pages of one person. `seen`: the routes that were shown. `preferred`: a part of the addresses that are
    followed first, where a page exists several times. `also`: addresses of such a page that are shown besides.
    `passed`: names of pages that are followed, and not shown."""

    address: str
    routes: Sequence[PageRoute]
    preferred: str = ""
    also: Sequence[str] = ()
    passed: Collection[str] = ()
    seen: set[PageRoute] = field(default_factory=set)

    async def pages(self, page: Page) -> AsyncIterator[Visit]:
        """Show each page once, found from the addresses without parameters by links and forms."""
        starts = [route.pattern for route in self.routes if not route.parameters]
        queues = deque([*starts, *self.also]), deque[str]()
        known: set[tuple[str, ...]] = set()
        while any(queues):
            address = (queues[0] or queues[1]).popleft()
            if (visit := self._visit(address)) is None:
                continue
            key = (address,) if address in self.also else (visit.name,)
            if key in known:
                continue
            known.add(key)
            answer = await page.goto(f"{self.address}{address}")
            await page.wait_for_load_state("load")
            landed = urlsplit(page.url)
            if answer is None or answer.status != 200:
                # A page of another role.
                continue
            if landed.path != urlsplit(address).path:
                # It only leads to another page.
                self.seen.add(visit.route)
                continue
            self.seen.add(visit.route)
            if (visit.name not in self.passed) or address in self.also:
                yield visit
            for link in self._own(await page.evaluate(_LINKS)):
                queues[0 if self.preferred in link else 1].append(link)

    def _own(self, links: Iterable[str]) -> list[str]:
        own = (link.partition("#")[0] for link in links if link.startswith(f"{self.address}/"))
        return list(dict.fromkeys(link.removeprefix(self.address) for link in own))

    def _visit(self, address: str) -> Visit | None:
        parts = urlsplit(address)
        route = next((route for route in self.routes if route.fits(parts.path)), None)
        names = sorted({name for name, value in parse_qsl(parts.query) if value and "-" not in name})
        # A table of a page as a file.
        if route is None or FILE in names:
            return None
        of_festival = f"-{parts.path.split('/')[2].lower()}" if address in self.also else ""
        return Visit(route, address, "-".join([route.name, *names]) + of_festival)


def check_none_missed(routes: Iterable[PageRoute], seen: Iterable[PageRoute]) -> None:
    """Raises PagesMissed if a route was not shown."""
    missed = {route.pattern for route in routes} - {route.pattern for route in seen}
    if missed:
        raise PagesMissed(f"No link leads to {', '.join(sorted(missed))}.")


async def sign_in(page: Page, address: str, login: str, password: str) -> None:
    """Sign in as people do, in any language. Raises PlaywrightError if the first page does not show."""
    await page.goto(f"{address}/sign-in")
    await page.fill("#login", login)
    await page.fill("#password", password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{address}/")
