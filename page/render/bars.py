"""Names with a bar and a share each."""

from dataclasses import dataclass

from page.labels import node_name, relation_label
from page.render.colors import object_color

_SHOWN_SCORES = 5


@dataclass(frozen=True)
class Bar:
    """A name, its share of 1, and the color of its bar; without one, the page's accent."""

    name: str
    share: float
    color: str | None = None


def score_bars(pair: dict) -> list[Bar]:
    """Returns the relations with the highest scores, the highest first."""
    scores = sorted(pair["scores"].items(), key=lambda item: -item[1])[:_SHOWN_SCORES]
    return [Bar(relation_label(label), score) for label, score in scores]


def attention_bars(pair: dict, objects: list[dict]) -> list[Bar]:
    """Returns the visual nodes of a pair with their attention, in the colors of their boxes."""
    return [
        Bar(node_name(node["label"]), node["attention"], object_color(node["label"], objects))
        for node in pair["objects"]
    ]
