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

# Elements with an address that the browser fetches or follows automatically, and the attributes that hold it.
_LOADED = {
    "audio": ("src",),
    "base": ("href",),
    "body": ("background",),
    "embed": ("src",),
    "feimage": ("href", "xlink:href"),
    "frame": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href", "imagesrcset"),
    "object": ("data",),
    "script": ("src", "href", "xlink:href"),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
_CANDIDATE = re.compile(r"([^\s,](?:\S*[^\s,])?)(?:,|\s[^,]*)?")
_REFRESH = re.compile(r"\s*[\d.]+[\s;,]+(?:url\s*=\s*)?['\"]?(.*?)['\"]?\s*", re.IGNORECASE | re.DOTALL)
_STYLE_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import(?:\s|/\*.*?\*/)*['"]([^'"]+)""", re.IGNORECASE | re.DOTALL)
_IMAGE_SET = re.compile(r"image-set\(((?:[^()]|\([^()]*\))*)", re.IGNORECASE)
_IMAGE_TYPE = re.compile(r"type\([^()]*\)", re.IGNORECASE)
_STRING = re.compile(r"""(?<!\()['"]([^'"]+)['"]""")
_SCRIPT_ADDRESS = re.compile(r"""(?:https?|wss?):[\w/.:@-]+|(?<=['"`])//[\w.-]+""", re.IGNORECASE)
_OTHER_HOST = re.compile(r"[/\\]{2}")
# The theme's script fetches from another host for each page that has one of these.
_FETCHING_CLASSES = {"glightbox", "mermaid", "pyodide"}
_FETCHING_COMPONENTS = {"source"}


@dataclass(slots=True)
class HtmlPage(HTMLParser):
    """The loaded addresses, links and anchors of one HTML page."""

    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    fetching: set[str] = field(default_factory=set)
    element: str = ""

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.element = tag
        # A browser takes the first of two attributes with one name.
        values = {name: value or "" for name, value in reversed(attrs)}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.fetching |= {f"class {name}" for name in _FETCHING_CLASSES & set(values.get("class", "").split())}
        self.fetching |= {
            f"component {name}" for name in _FETCHING_COMPONENTS & {values.get("data-md-component", "")}
        }
        self.loads += _addresses_in(values.get("style", ""))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "meta" and values.get("http-equiv", "").strip().lower() == "refresh":
            refresh = _REFRESH.fullmatch(values.get("content", ""))
            self.loads += refresh.groups() if refresh else ()
        for name in _LOADED.get(tag, ()):
            if name in values:
                self.loads += _in_attribute(name, values[name])

    def handle_endtag(self, tag: str) -> None:
        if tag == self.element:
            self.element = ""

    def handle_data(self, data: str) -> None:
        if self.element == "style":
            self.loads += _addresses_in(data)
        elif self.element == "script":
            self.loads += _SCRIPT_ADDRESS.findall(data)


def page(text: str) -> HtmlPage:
    """The parsed page of an HTML text."""
    parsed = HtmlPage()
    parsed.feed(text)
    parsed.close()
    return parsed


def foreign_loads(text: str) -> list[str]:
    """Addresses of other hosts that a browser would fetch for this page or picture, and fetching markup."""
    parsed = page(text)
    return [*filter(is_foreign, parsed.loads), *sorted(parsed.fetching)]


def foreign_in_style(text: str) -> list[str]:
    """Addresses of other hosts that a browser would fetch for this style sheet."""
    return [*filter(is_foreign, _addresses_in(text))]


def is_foreign(address: str) -> bool:
    """Whether an address has a scheme other than `data:`, or names a host without one (`//host/path`)."""
    stripped = address.strip()
    scheme = urlsplit(stripped).scheme
    return scheme != "data" if scheme else bool(_OTHER_HOST.match(stripped))


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
    for suffix, foreign in (("css", foreign_in_style), ("svg", foreign_loads)):
        for file in sorted(site.rglob(f"*.{suffix}")):
            for address in foreign(file.read_text(encoding="utf-8")):
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
    return _CANDIDATE.findall(value) if name.endswith("srcset") else [value]


def _addresses_in(style: str) -> list[str]:
    sets = (_IMAGE_TYPE.sub("", images) for images in _IMAGE_SET.findall(style))
    return [
        *(first or second for first, second in _STYLE_URL.findall(style)),
        *(address for images in sets for address in _STRING.findall(images)),
    ]


def main(site: Path) -> int:
    """Print each complaint; the exit code is 1 if there is any."""
    sentences = [*complaints(site.resolve())] if (site / "index.html").exists() else [f"{site} holds no site"]
    for complaint in sentences:
        print(complaint, file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
