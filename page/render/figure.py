"""A pair as a figure: one SVG file that needs no other file."""

import re
import textwrap
from dataclasses import dataclass
from unicodedata import east_asian_width

from page.labels import is_related, relation_words
from page.render.bars import Bar, score_bars
from page.render.colors import CATEGORIES
from page.render.details import hypergraph_of
from page.render.environment import render
from page.render.gaussians import CurvesLayout, curves_layout
from page.render.image_svg import ImageLayout, image_layout
from vmhan.visualization.hypergraph_drawing import HypergraphLayout

_WIDTH, _GAP = 960, 24
_COLUMN = (_WIDTH - 3 * _GAP) // 2
_ROW = 24  # height of a score
_LEADING = 1.3  # distance of two lines, in font sizes
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML, even escaped


@dataclass(frozen=True)
class Paragraph:
    """Lines of text, each with the y of its base line."""

    size: int
    weight: int
    lines: list[tuple[float, str]]
    bottom: float


@dataclass(frozen=True)
class ScoresLayout:
    """The highest scores of a pair as bars."""

    bars: list[Bar]
    color: str = CATEGORIES[1]
    row_height: int = _ROW
    width: int = _COLUMN

    @property
    def height(self) -> int:
        """The height of all rows."""
        return _ROW * len(self.bars) + 8


@dataclass(frozen=True)
class FigurePart:
    """A drawing, the template that renders it, and where it stands in the figure, as wide as its column."""

    template: str
    drawing: ImageLayout | ScoresLayout | HypergraphLayout | CurvesLayout
    x: float
    y: float

    @property
    def width(self) -> float:
        """The width of its column."""
        return _COLUMN

    @property
    def height(self) -> float:
        """The height that keeps the drawing's proportions."""
        return _COLUMN * self.drawing.height / self.drawing.width


@dataclass(frozen=True)
class FigureLayout:
    """The whole figure."""

    height: float
    paragraphs: list[Paragraph]
    parts: list[FigurePart]
    width: int = _WIDTH
    margin: int = _GAP


def figure_svg(answer: dict, chosen: int) -> str:
    """Renders the pair's image, hypergraph, scores and curves as an SVG file.

    Args:
        answer: As `pair_details` takes it, with the `"text"` that the answer is about.
        chosen: The pair that is drawn.
    """
    return _FORBIDDEN.sub("", render("figure.svg", figure=figure_layout(answer, chosen)))


def figure_layout(answer: dict, chosen: int) -> FigureLayout:
    """Computes where the parts of the figure stand."""
    pair, image = answer["pairs"][chosen], answer["image"]
    arrow = "→" if is_related(pair) else "·"
    title = f"{pair['head']['text']} {arrow} {relation_words(pair)} {arrow} {pair['tail']['text']}"
    heading = _paragraph(title, 22, 700, top=18)
    sentence = _paragraph(answer["text"], 14, 400, top=heading.bottom + 4)
    drawn = image and image_layout(image, pair, answer["objects"], "figure")
    columns = (
        [("image.svg", drawn), ("scores.svg", ScoresLayout(score_bars(pair)))],
        [("hypergraph.svg", hypergraph_of(pair)), ("gaussians.svg", curves_layout(pair))],
    )
    parts, top = [], sentence.bottom + 16
    for number, column in enumerate(columns):
        parts += _stack(column, _GAP + number * (_COLUMN + _GAP), top)
    height = max(part.y + part.height + _GAP for part in parts)
    return FigureLayout(height, [heading, sentence], parts)


def _paragraph(text: str, size: int, weight: int, top: float) -> Paragraph:
    """Breaks text into lines that fit the figure."""
    wide = any(east_asian_width(letter) in "WF" for letter in text)
    lines = textwrap.wrap(text, int((_WIDTH - 2 * _GAP) / (size * (1.05 if wide else 0.6))))
    base_lines = [(top + _LEADING * size * number, line) for number, line in enumerate(lines, 1)]
    return Paragraph(size, weight, base_lines, top + _LEADING * size * len(lines))


def _stack(drawings: list[tuple], x: float, y: float) -> list[FigurePart]:
    """Places drawings below each other; those that a pair lacks are None."""
    parts = []
    for template, drawing in drawings:
        if drawing:
            parts.append(FigurePart(template, drawing, x, y))
            y += parts[-1].height + _GAP
    return parts
