"""What a visitor can take home: the answer as JSON, and the chosen pair as a figure."""

import base64
import json
from html import escape

from .colours import CATEGORIES
from .details import graph_of, likeliest
from .gaussians import gaussians_svg
from .picture_svg import picture_svg
from .wording import NO_RELATION, readable

_WIDTH, _GAP, _INK = 960, 24, "#1b1f27"


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
    return json.dumps(kept, ensure_ascii=False, indent=2)


def figure_svg(answer: dict, chosen: int) -> str:
    """One SVG file with the pair's picture, hypergraph, scores and curves; it needs no other file."""
    pair, half = answer["pairs"][chosen], (_WIDTH - 3 * _GAP) // 2
    arrow = "→" if pair["relation"] != NO_RELATION else "·"
    title = f"{pair['head']['text']} {arrow} {readable(pair['relation'])} {arrow} {pair['tail']['text']}"
    left, right = [], [graph_of(pair), gaussians_svg(pair)]
    if answer["picture"]:
        picture = answer["picture"]
        left.append(picture_svg(picture["address"], picture["size"], pair, answer["objects"], "figure"))
    left.append(_bars(pair, half))
    columns = [_column(parts, _GAP + side * (half + _GAP), half) for side, parts in enumerate((left, right))]
    height = max(bottom for _, bottom in columns)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" '
        f'height="{height:.0f}" font-family="sans-serif" color="{_INK}" fill="{_INK}">'
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<text x="{_GAP}" y="44" font-size="22" font-weight="700">{escape(title)}</text>'
        f'<text x="{_GAP}" y="70" font-size="14">{escape(answer["text"])}</text>'
        f"{''.join(shown for shown, _ in columns)}</svg>"
    )


def _column(parts: list[str], x: float, width: float) -> tuple[str, float]:
    """SVGs below each other, each as wide as the column, and where they end."""
    y, shown = 92.0, []
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
        f'<text x="0" y="{24 * row + 17}">{escape(readable(label))}</text>'
        f'<rect x="150" y="{24 * row + 7}" width="{max(2, (width - 220) * score):.0f}" height="10" rx="5" '
        f'fill="{CATEGORIES[1]}"/><text x="{width}" y="{24 * row + 17}" text-anchor="end">{score:.1%}</text>'
        for row, (label, score) in enumerate(scores)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {24 * len(scores) + 8}" '
        f'font-size="14">{rows}</svg>'
    )
