"""The Gaussians of the two entities as curves."""

import math
from dataclasses import dataclass

from page.labels import short
from page.render.colors import CATEGORIES

_WIDTH, _HEIGHT, _BASE = 400, 144, 112
_REACH, _STEPS = 2.6, 32  # deviations of the widest curve to either side, points to either side


@dataclass(frozen=True)
class EntityCurves:
    """The curves of one entity, as points, and its label below them."""

    name: str
    variance: float
    color: str
    label_x: float
    before: list[tuple[float, float]]
    after: list[tuple[float, float]]


@dataclass(frozen=True)
class CurvesLayout:
    """The curves of head and tail above their base line."""

    title: str
    entities: list[EntityCurves]
    width: int = _WIDTH
    height: int = _HEIGHT
    base: int = _BASE


def curves_layout(pair: dict) -> CurvesLayout | None:
    """Computes the curves of head and tail; None if the model keeps no variance.

    Every entity is a Gaussian of many dimensions. A curve has their mean variance. It is dashed before the hypergraph
    and solid after its last layer.
    """
    entities = (pair.get("hypergraph") or {"nodes": []})["nodes"][:2]
    if not entities or not all(node["variance"] > 0 and node["initial_variance"] > 0 for node in entities):
        return None
    deviations = [math.sqrt(node[key]) for node in entities for key in ("variance", "initial_variance")]
    title = "; ".join(
        f"{node['name']}: mean variance {node['variance']:.2f}, before the hypergraph {node['initial_variance']:.2f}"
        for node in entities
    )
    curves = [_entity_curves(node, number, deviations) for number, node in enumerate(entities)]
    return CurvesLayout(title, curves)


def _entity_curves(node: dict, number: int, deviations: list[float]) -> EntityCurves:
    middle = _WIDTH * (0.25 + 0.5 * number)
    return EntityCurves(
        name=short(node["name"], 16),
        variance=node["variance"],
        color=CATEGORIES[number],
        label_x=middle,
        before=_bell(middle, math.sqrt(node["initial_variance"]), deviations),
        after=_bell(middle, math.sqrt(node["variance"]), deviations),
    )


def _bell(middle: float, deviation: float, deviations: list[float]) -> list[tuple[float, float]]:
    """Computes the points of a bell; all bells have the same area, and the narrowest is as high as there is room."""
    half, points = _WIDTH * 0.24, []
    for step in range(-_STEPS, _STEPS + 1):
        x = step / _STEPS  # -1 to 1
        distance = x * _REACH * max(deviations) / deviation
        height = 100 * min(deviations) / deviation * math.exp(-(distance**2) / 2)
        points.append((middle + half * x, _BASE - height))
    return points
