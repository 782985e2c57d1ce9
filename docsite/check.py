"""`python -m docsite.check FOLDER`: finds dead links in a built site, and resources from other hosts.

The site's builder reports dead links in a page's source. It reports neither a missing page of the navigation nor an
address outside the project.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements with an address that the browser fetches automatically, and the attributes that hold it.
_LOADED = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
_STYLE_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")
# The theme's script fetches a library from another host for each page that has one of these.
_FETCHING_CLASSES = {"mermaid"}


@dataclass(slots=True)
class HtmlPage(HTMLParser):
    """The loaded addresses, links and anchors of one HTML page."""

    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    fetching: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.fetching |= _FETCHING_CLASSES & set(values.get("class", "").split())
        self.loads += _addresses_in(values.get("style", ""))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        for name in _LOADED.get(tag, ()):
            if name in values:
                self.loads += _in_attribute(name, values[name])

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.loads += _addresses_in(data)


def page(text: str) -> HtmlPage:
    """The parsed page of an HTML text."""
    parsed = HtmlPage()
    parsed.feed(text)
    parsed.close()
    return parsed


def foreign_loads(text: str) -> list[str]:
    """Addresses of other hosts that a browser would fetch for this page, and classes that cause such fetches."""
    parsed = page(text)
    return [*filter(is_foreign, parsed.loads), *(f"class {name}" for name in sorted(parsed.fetching))]


def foreign_in_style(text: str) -> list[str]:
    """Addresses of other hosts that a browser would fetch for this style sheet or picture."""
    return [*filter(is_foreign, _addresses_in(text))]


def is_foreign(address: str) -> bool:
    """Whether an address names a host, also without a scheme (`//host/path`)."""
    return bool(urlsplit(address.strip()).netloc)


def complaints(site: Path) -> Iterator[str]:
    """A sentence for every foreign address and every dead link of a built site."""
    pages = {file: page(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}
    for file, parsed in pages.items():
        name = file.relative_to(site)
        for address in foreign_loads(file.read_text(encoding="utf-8")):
            yield f"{name} loads {address}"
        # The 404 page has addresses relative to the site's root.
        for address in () if name.name == "404.html" else (*parsed.links, *parsed.loads):
            if not _leads_somewhere(file, address, pages):
                yield f"{name} leads nowhere with {address}"
    for file in sorted([*site.rglob("*.css"), *site.rglob("*.svg")]):
        for address in foreign_in_style(file.read_text(encoding="utf-8")):
            yield f"{file.relative_to(site)} loads {address}"


def _leads_somewhere(file: Path, address: str, pages: dict[Path, HtmlPage]) -> bool:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return True
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if target not in pages:
        return target.exists()
    return not parts.fragment or unquote(parts.fragment) in pages[target].anchors


def _in_attribute(name: str, value: str) -> list[str]:
    if name == "srcset":
        return [candidate.split()[0] for candidate in value.split(",") if candidate.strip()]
    return [value]


def _addresses_in(style: str) -> list[str]:
    return [first or second for first, second in _STYLE_URL.findall(style)]


def main(site: Path) -> int:
    """Print each complaint; the exit code is 1 if there is any."""
    sentences = [*complaints(site.resolve())] if (site / "index.html").exists() else [f"{site} holds no site"]
    for complaint in sentences:
        print(complaint, file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
