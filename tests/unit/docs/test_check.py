"""The check of the built site sees what a browser would fetch from elsewhere, and links that lead nowhere."""

from pathlib import Path

import pytest

from docsite.check import complaints, foreign_in_style, foreign_loads, main

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
        '<pre class="mermaid">graph TD</pre>',
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
        f'<a href="{ELSEWHERE}">A link is fetched only when somebody follows it.</a>',
        f"<code>{ELSEWHERE}</code>",
    ],
)
def test_what_is_local_or_only_text_is_let_be(element: str) -> None:
    assert foreign_loads(f"<html><body>{element}</body></html>") == []


def test_a_style_sheet_is_read_too() -> None:
    assert foreign_in_style(f"@font-face {{ src: url({ELSEWHERE}.woff2) }}") == [f"{ELSEWHERE}.woff2"]
    assert foreign_in_style("p { background: url(a.png) }") == []


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
