"""What a visitor can take home: the answer as JSON, and the chosen pair as a figure."""

import base64
import json
import re
import textwrap
from html import escape
from unicodedata import east_asian_width

from page.labels import is_related, relation_label, relation_words
from page.render.colors import CATEGORIES
from page.render.details import graph_of, likeliest
from page.render.gaussians import gaussians_svg
from page.render.image_svg import picture_svg

_WIDTH, _GAP, _INK = 960, 24, "#1b1f27"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML, even escaped


def downloads_html(answer: dict, chosen: int) -> str:
    """Links that hold what they download."""
    figure = figure_svg(answer, chosen)
    links = (
        ("relations.json", "application/json", answer_json(answer), "Download all pairs (JSON)"),
        ("pair.svg", "image/svg+xml", figure, "Download this figure (SVG)"),
    )
    shown = "".join(
        f'<a class="download" download="{name}" href="data:{kind};base64,{base64.b64encode(text.encode()).decode()}">'
        f"{label}</a>"
        for name, kind, text, label in links
    )
    return f'<p class="downloads">{shown}</p>'


def answer_json(answer: dict) -> str:
    """The answer as the pipeline gives it."""
    kept = {key: answer[key] for key in ("text", "pairs", "objects", "description")}
    kept["pairs"] = [{key: value for key, value in pair.items() if key != "related"} for pair in answer["pairs"]]
    if "warnings" in answer:
        kept["warnings"] = answer["warnings"]
    return json.dumps(kept, ensure_ascii=False, indent=2)


def figure_svg(answer: dict, chosen: int) -> str:
    """One SVG file with the pair's picture, hypergraph, scores and curves; it needs no other file."""
    pair, half = answer["pairs"][chosen], (_WIDTH - 3 * _GAP) // 2
    arrow = "→" if is_related(pair) else "·"
    title = f"{pair['head']['text']} {arrow} {relation_words(pair)} {arrow} {pair['tail']['text']}"
    heading, top = _paragraph(title, 22, 18, 'font-weight="700"')
    sentence, top = _paragraph(answer["text"], 14, top + 4)
    left, right = [], [graph_of(pair), gaussians_svg(pair)]
    if answer["picture"]:
        picture = answer["picture"]
        left.append(picture_svg(picture["address"], picture["size"], pair, answer["objects"], "figure"))
    left.append(_bars(pair, half))
    columns = [_column(parts, _GAP + side * (half + _GAP), top + 16, half) for side, parts in enumerate((left, right))]
    height = max(bottom for _, bottom in columns)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" '
        f'height="{height:.0f}" font-family="sans-serif" color="{_INK}" fill="{_INK}">'
        f'<rect width="100%" height="100%" fill="white"/>'
        f"{heading}{sentence}{''.join(shown for shown, _ in columns)}</svg>"
    )
    return _FORBIDDEN.sub("", svg)


def _paragraph(text: str, size: int, top: float, style: str = "") -> tuple[str, float]:
    """Text in lines that fit the figure, and where it ends."""
    wide = any(east_asian_width(letter) in "WF" for letter in text)
    lines = textwrap.wrap(text, int((_WIDTH - 2 * _GAP) / (size * (1.05 if wide else 0.6))))
    spans = "".join(
        f'<tspan x="{_GAP}" y="{top + 1.3 * size * number:.0f}">{escape(line)}</tspan>'
        for number, line in enumerate(lines, 1)
    )
    return f'<text font-size="{size}" {style}>{spans}</text>', top + 1.3 * size * len(lines)


def _column(parts: list[str], x: float, y: float, width: float) -> tuple[str, float]:
    """SVGs below each other from `y` on, each as wide as the column, and where they end."""
    shown = []
    for part in filter(None, parts):
        box = [float(edge) for edge in part.split('viewBox="', 1)[1].split('"', 1)[0].split()]
        height = width * box[3] / box[2]
        place = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"'
        shown.append(part.replace("<svg ", f"<svg {place} ", 1))
        y += height + _GAP
    return "".join(shown), y


def _bars(pair: dict, width: int) -> str:
    scores = likeliest(pair)
    rows = "".join(
        f'<text x="0" y="{24 * row + 17}">{escape(relation_label(label))}</text>'
        f'<rect x="150" y="{24 * row + 7}" width="{max(2, (width - 220) * score):.0f}" height="10" rx="5" '
        f'fill="{CATEGORIES[1]}"/><text x="{width}" y="{24 * row + 17}" text-anchor="end">{score:.1%}</text>'
        for row, (label, score) in enumerate(scores)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {24 * len(scores) + 8}" '
        f'font-size="14">{rows}</svg>'
    )
