"""The check of the built site sees what a browser would fetch from elsewhere, and links that lead nowhere."""

import re
from importlib import resources
from pathlib import Path

import pytest

from docsite.check import complaints, foreign_in_style, foreign_loads, main, page

pytestmark = pytest.mark.unit

ELSEWHERE = "https://elsewhere.example/a"


@pytest.mark.parametrize(
    "element",
    [
        f'<script src="{ELSEWHERE}.js"></script>',
        f'<link rel="stylesheet" href="{ELSEWHERE}.css">',
        f'<link rel="preconnect" href="{ELSEWHERE}">',
        f'<img src="{ELSEWHERE}.png">',
        f'<img srcset="local.png 1x, {ELSEWHERE}.png 2x">',
        f'<iframe src="{ELSEWHERE}"></iframe>',
        f'<svg><image href="{ELSEWHERE}.png"/></svg>',
        f'<p style="background: url({ELSEWHERE}.png)">',
        f"<style>@import '{ELSEWHERE}.css';</style>",
        f"<style>p {{ background: url('{ELSEWHERE}.png') }}</style>",
        '<script src="//elsewhere.example/a.js"></script>',
        f'<img srcset="data:image/png;base64,AA 1x, {ELSEWHERE}.png 2x">',
        f'<link rel="preload" as="image" imagesrcset="local.png 1x, {ELSEWHERE}.png 2x">',
        f'<frameset><frame src="{ELSEWHERE}"></frameset>',
        f'<svg><filter><feImage href="{ELSEWHERE}.png"/></filter></svg>',
        f'<svg><filter><feImage xlink:href="{ELSEWHERE}.png"/></filter></svg>',
        f'<svg><script href="{ELSEWHERE}.js"/></svg>',
        f"""<p style="background: image-set('local.png' 1x, '{ELSEWHERE}.png' 2x)">""",
        f"<style>p {{ background: -webkit-image-set('{ELSEWHERE}.png' type('image/png') 1x) }}</style>",
        f"<style>p {{ background: URL({ELSEWHERE}.png) }}</style>",
        f"<style>@IMPORT/* a comment */'{ELSEWHERE}.css';</style>",
        f'<body background="{ELSEWHERE}.png">',
        f'<base href="{ELSEWHERE}/">',
        f'<meta http-equiv="refresh" content="0; url={ELSEWHERE}">',
        f"""<meta http-equiv="Refresh" content="5;URL='{ELSEWHERE}'">""",
        f'<img src="{ELSEWHERE}.png" src="local.png">',
        f'<script>const script = document.createElement("script"); script.src = "{ELSEWHERE}.js"</script>',
        '<script>new WebSocket("wss://elsewhere.example")</script>',
        '<script>fetch("//elsewhere.example/a")</script>',
        '<img src="HTTP://elsewhere.example/a.png">',
        '<img src="https:elsewhere.example/a.png">',
        '<img src="https:///elsewhere.example/a.png">',
        '<img src="ftp://elsewhere.example/a.png">',
        '<object data="ws://elsewhere.example/a"></object>',
        '<object data="wss://elsewhere.example/a"></object>',
        '<object data="file:///a"></object>',
        r'<img src="\\elsewhere.example\a.png">',
        '<pre class="mermaid">graph TD</pre>',
        '<a class="glightbox" href="local.png">A larger picture</a>',
        '<div class="example pyodide"></div>',
        '<a class="md-source" data-md-component="source" href="https://github.com/someone/something">Source</a>',
    ],
)
def test_what_a_browser_would_fetch_elsewhere_is_found(element: str) -> None:
    assert foreign_loads(f"<html><body>{element}</body></html>")


@pytest.mark.parametrize(
    "element",
    [
        '<script src="assets/a.js"></script>',
        '<link rel="stylesheet" href="../site.css">',
        '<img src="flow.svg">',
        '<img src="data:image/png;base64,AAAA">',
        '<img src="DATA:image/png;base64,AAAA">',
        '<link rel="preload" as="image" imagesrcset="a.png 1x, b.png 2x">',
        """<p style="background: image-set('a.png' type('image/png') 1x, url(b.png) 2x)">""",
        '<base href="../">',
        '<meta http-equiv="refresh" content="30">',
        '<meta http-equiv="refresh" content="0; url=other.html">',
        f'<meta name="description" content="0; url={ELSEWHERE}">',
        '<script>const base = new URL("..", location)</script>',
        f"<script>start()</script> {ELSEWHERE}",
        '<nav class="md-nav" data-md-component="sidebar"></nav>',
        f'<a href="{ELSEWHERE}">A link is fetched only when somebody follows it.</a>',
        f"<code>{ELSEWHERE}</code>",
    ],
)
def test_what_is_local_or_only_text_is_let_be(element: str) -> None:
    assert foreign_loads(f"<html><body>{element}</body></html>") == []


def test_a_style_sheet_is_read_too() -> None:
    assert foreign_in_style(f"@font-face {{ src: url({ELSEWHERE}.woff2) }}") == [f"{ELSEWHERE}.woff2"]
    assert foreign_in_style(f"p {{ background: image-set('a.png' 1x, '{ELSEWHERE}.png' 2x) }}") == [
        f"{ELSEWHERE}.png"
    ]
    assert foreign_in_style("p { background: url(a.png) }") == []


def test_a_picture_is_read_as_a_page(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "picture.svg").write_text(f'<svg><filter><feImage href="{ELSEWHERE}.png"/></filter></svg>')
    assert [*complaints(tmp_path)] == [f"picture.svg loads {ELSEWHERE}.png"]


def test_the_candidates_of_a_picture_are_told_apart() -> None:
    parsed = page('<img srcset="data:image/png;base64,AA 1x, b.png, c,d.png 2x"><link imagesrcset="e 1x">')
    assert parsed.loads == ["data:image/png;base64,AA", "b.png", "c,d.png", "e"]


def test_the_scripts_of_the_theme_name_no_address_without_a_known_trigger() -> None:
    scripts = resources.files("zensical") / "templates" / "assets" / "javascripts"
    text = "".join(
        file.read_text(encoding="utf-8")
        for folder in (scripts, scripts / "workers")
        for file in folder.iterdir()
        if file.name.endswith(".js")
    )
    addresses = set(re.findall(r"(?:https?|wss?)://[\w.${}-]+(?:/@?[a-z-]+)?", text))
    assert addresses == {
        # Names of XML dialects; nobody fetches them.
        "http://www.w3.org",
        # A class: mermaid, glightbox, or pyodide (an editor and an interpreter).
        "https://unpkg.com/mermaid",
        "https://unpkg.com/glightbox",
        "https://unpkg.com/ace-builds",
        "https://unpkg.com/pyodide",
        "https://cdn.jsdelivr.net/pyodide",
        # The component `source`, for GitHub and GitLab.
        "https://api.github.com/repos",
        "https://api.github.com/users",
        "https://${e}/api",
        # No trigger on a page: only browsers without ResizeObserver, all older than 2020, fetch it.
        "https://unpkg.com/resize-observer-polyfill",
    }


@pytest.mark.parametrize(
    ("link", "is_dead"),
    [
        ("other.html", False),
        ("other.html#there", False),
        ("#here", False),
        ("picture.svg", False),
        ("folder/", False),
        (ELSEWHERE, False),
        ("missing.html", True),
        ("other.html#missing", True),
        ("#missing", True),
        ("missing.svg", True),
    ],
)
def test_a_dead_link_is_found(link: str, is_dead: bool, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("<p>")
    (tmp_path / "other.html").write_text('<h2 id="there">')
    (tmp_path / "picture.svg").write_text("<svg/>")
    (tmp_path / "index.html").write_text(f'<h2 id="here"><a href="{link}">')
    assert bool([*complaints(tmp_path)]) == is_dead
    assert main(tmp_path) == is_dead


def test_a_folder_without_a_site_is_no_success(tmp_path: Path) -> None:
    assert main(tmp_path) == 1
