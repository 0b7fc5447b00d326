"""The Gaussians of the two entities as curves."""

import math
from html import escape

from page.labels import short
from page.render.colors import CATEGORIES

_WIDTH, _HEIGHT, _BASE = 400, 144, 112
_REACH, _STEPS = 2.6, 32  # deviations of the widest curve to either side, points to either side


def gaussians_svg(pair: dict) -> str:
    """The curves of head and tail; empty if the model keeps no variance.

    Every entity is a Gaussian of many dimensions. A curve has their mean variance. It is dashed before the hypergraph
    and solid after its last layer.
    """
    entities = (pair.get("hypergraph") or {"nodes": []})["nodes"][:2]
    if not entities or not all(node["variance"] > 0 and node["initial_variance"] > 0 for node in entities):
        return ""
    widest = max(math.sqrt(max(node["variance"], node["initial_variance"])) for node in entities)
    narrowest = min(math.sqrt(min(node["variance"], node["initial_variance"])) for node in entities)
    curves = "".join(_curve(node, number, widest, narrowest) for number, node in enumerate(entities))
    told = "; ".join(
        f"{node['name']}: mean variance {node['variance']:.2f}, before the hypergraph {node['initial_variance']:.2f}"
        for node in entities
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" class="gaussians" '
        f'font-family="sans-serif" font-size="15" fill="currentColor"><title>{escape(told)}</title>{curves}'
        f'<path d="M0 {_BASE}H{_WIDTH}" stroke="currentColor" stroke-opacity="0.3"/></svg>'
    )


def _curve(node: dict, number: int, widest: float, narrowest: float) -> str:
    middle, half = _WIDTH * (0.25 + 0.5 * number), _WIDTH * 0.24
    colour = CATEGORIES[number]
    shapes = [
        _shape(middle, half, math.sqrt(node[key]), widest, narrowest) for key in ("initial_variance", "variance")
    ]
    return (
        f'<path d="{shapes[1]}" fill="{colour}" fill-opacity="0.18" stroke="{colour}" stroke-width="2.5"/>'
        f'<path d="{shapes[0]}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 4"/>'
        f'<text x="{middle:.0f}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(short(node["name"], 16))} '
        f"σ² {node['variance']:.2f}</text>"
    )


def _shape(middle: float, half: float, deviation: float, widest: float, narrowest: float) -> str:
    """A bell of this deviation; all bells have the same area, and the narrowest is as high as there is room."""
    points = []
    for step in range(-_STEPS, _STEPS + 1):
        place = step / _STEPS  # -1 to 1
        distance = place * _REACH * widest / deviation
        height = 100 * narrowest / deviation * math.exp(-(distance**2) / 2)
        points.append(f"{middle + half * place:.1f} {_BASE - height:.1f}")
    return "M" + "L".join(points)
