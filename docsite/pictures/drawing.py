"""SVG pictures of boxes, arrows and text, readable on light and dark pages.

A picture has its own background and follows the reader's light or dark theme, so that it can be used on any page.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from xml.sax.saxutils import escape, quoteattr

# The light and the dark variant of each colour.
_COLOURS = {
    "page": ("#ffffff", "#16191d"),
    "ink": ("#1c2430", "#e8ecf1"),
    "soft": ("#465163", "#b3bdca"),
    "line": ("#5b6676", "#8d99a8"),
    "service": ("#e6f2ec", "#17332a"),
    "service-edge": ("#2f6b4f", "#5fb38c"),
    "edge": ("#fdf1dc", "#3a2c12"),
    "edge-edge": ("#a86a14", "#dba548"),
    "reader": ("#eceffa", "#20274a"),
    "reader-edge": ("#4a5aa8", "#92a0ea"),
}
_TITLE, _LINE = 17, 21


class Role(StrEnum):
    """The role of a box, which decides its colours."""

    SERVICE = "service"
    EDGE = "edge"
    READER = "reader"


class Anchor(StrEnum):
    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Box:
    """A box at `x`, `y` with a title and text lines below it."""

    x: float
    y: float
    width: float
    height: float
    title: str
    lines: tuple[str, ...] = ()
    role: Role = Role.SERVICE


@dataclass(slots=True)
class Picture:
    """An SVG picture of a given size, with a description for screen readers."""

    width: int
    height: int
    about: str
    _parts: list[str] = field(default_factory=list)

    def box(self, box: Box) -> None:
        """Draw a box with centred text."""
        self._parts.append(
            f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="10" class="{box.role}"/>'
        )
        middle = box.x + box.width / 2
        top = box.y + (box.height - _LINE * len(box.lines)) / 2 + 6
        self.text(middle, top, box.title, kind="title")
        for number, line in enumerate(box.lines, start=1):
            self.text(middle, top + _LINE * number, line, kind="soft")

    def text(self, x: float, y: float, words: str, *, anchor: Anchor = Anchor.MIDDLE, kind: str = "label") -> None:
        """Draw one line of text with its baseline at `y`."""
        self._parts.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>')

    def piece(self, x: float, y: float, role: Role, *, is_sold: bool) -> None:
        """Draw a piece of goods: full while it is there, dashed once it counts as sold."""
        kind = "sold" if is_sold else "there"
        self._parts.append(f'<rect x="{x:g}" y="{y:g}" width="28" height="26" rx="4" class="{role} {kind}"/>')

    def arrow(self, *points: tuple[float, float], dashed: bool = False) -> None:
        """Draw an arrow through `points`, with its head at the last one."""
        path = " L".join(f"{x:g},{y:g}" for x, y in points)
        kind = "arrow dashed" if dashed else "arrow"
        self._parts.append(f'<path d="M{path}" class="{kind}" marker-end="url(#head)"/>')

    def svg(self) -> str:
        """The text of the SVG file."""
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'font-family="Helvetica, Arial, sans-serif" role="img" aria-label={quoteattr(self.about)}>',
                f"<style>\n{_style()}\n</style>",
                '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
                'orient="auto"><path d="M0,0 L10,5 L0,10 z" class="head"/></marker></defs>',
                f'<rect width="{self.width}" height="{self.height}" rx="12" class="page"/>',
                *self._parts,
                "</svg>\n",
            )
        )


def _style() -> str:
    """The style sheet. Colours are written out for both themes, since some viewers do not support CSS variables."""
    return "\n".join(
        (
            f".title{{font-size:{_TITLE}px;font-weight:700}}.soft,.label{{font-size:14px}}",
            ".service,.edge,.reader{stroke-width:2}.arrow{fill:none;stroke-width:2}.dashed{stroke-dasharray:6 5}",
            ".sold{stroke-dasharray:4 3}",
            *_colours(0),
            "@media (prefers-color-scheme: dark){",
            *_colours(1),
            "}",
        )
    )


def _colours(theme: int) -> tuple[str, ...]:
    colour = {name: pair[theme] for name, pair in _COLOURS.items()}
    return (
        f".page{{fill:{colour['page']}}}.title,.label{{fill:{colour['ink']}}}.soft{{fill:{colour['soft']}}}",
        f".arrow{{stroke:{colour['line']}}}.head{{fill:{colour['line']}}}",
        *(f".{role}{{fill:{colour[role]};stroke:{colour[f'{role}-edge']}}}" for role in Role),
        *(f".{role}.there{{fill:{colour[f'{role}-edge']}}}" for role in Role),
    )
