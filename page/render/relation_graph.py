"""The entities of a sentence and what is between them: every pair a line, every relation an arrow with its name."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from page.labels import is_related, relation_words, short
from page.render.geometry import Box

_WIDTH, _HEIGHT = 440, 300
_WIDEST = 6.0  # pixels of the line of a relation whose score is 1; others are in proportion
_LETTER = 8.1  # mean width at the font size of relation_graph.svg, 15
_ALONG = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73)  # where on a line its label may stand, the best first
_BESIDE = (0, -22, 22)  # pixels above it
_MOST_ROUND = 6  # entities that an ellipse has room for
_MOST_FAINT = 8  # entities up to which pairs without a relation are drawn too

Point = tuple[float, float]
EntityKey = tuple[float, float, str]  # start, end, text


class Spot(NamedTuple):
    """Where an entity stands: the point that its lines aim at, and its frame, which is moved into the graph."""

    center: Point
    frame: Box


@dataclass(frozen=True)
class EntityFrame:
    """An entity: its full name, the name that fits its frame, and whether it belongs to a pair that is shown."""

    title: str
    name: str
    box: Box
    is_lit: bool


@dataclass(frozen=True)
class RelationLabel:
    """The name of a relation and its score, on a plate."""

    text: str
    box: Box


@dataclass(frozen=True)
class PairLine:
    """The line of a pair, which can be chosen; with a label and an arrow if the pair has a relation."""

    number: int
    title: str
    start: Point
    end: Point
    stroke_width: float
    label: RelationLabel | None
    is_chosen: bool
    is_compared: bool


@dataclass(frozen=True)
class GraphLayout:
    """The whole drawing; lines that come later lie on top."""

    lines: list[PairLine]
    entities: list[EntityFrame]
    width: int = _WIDTH
    height: int = _HEIGHT


def graph_layout(pairs: list[dict], chosen: int, other: int | None = None) -> GraphLayout:
    """Computes where entities, lines and labels stand.

    Args:
        pairs: As the pipeline returns them.
        chosen: The pair that is shown.
        other: The pair that it is compared with.
    """
    keys = sorted({_key(pair[end]) for pair in pairs for end in ("head", "tail")})
    spots = {key: _spot(key, center) for key, center in zip(keys, _centers(len(keys)), strict=True)}
    order = sorted(range(len(pairs)), key=lambda number: (number == chosen, is_related(pairs[number])))
    taken = [spot.frame for spot in spots.values()]
    lines = [
        _line(number, pairs[number], spots, taken, number == chosen, number == other)
        for number in order
        if is_related(pairs[number]) or len(keys) <= _MOST_FAINT or number in (chosen, other)
    ]
    shown = [pairs[number] for number in (chosen, other) if number is not None]
    lit = {_key(pair[end]) for pair in shown for end in ("head", "tail")}
    entities = [EntityFrame(key[2], _shown_name(key), spot.frame, key in lit) for key, spot in spots.items()]
    return GraphLayout(lines, entities)


def _key(entity: dict) -> EntityKey:
    """Returns what orders entities as the sentence does; objects of the image come last."""
    span = (math.inf, math.inf) if entity["start"] is None else (entity["start"], entity["end"])
    return *span, entity["text"]


def _shown_name(key: EntityKey) -> str:
    return short(key[2], 20)


def _centers(count: int) -> list[Point]:
    """Places entities on an ellipse in the order of the sentence; many stand in two bent columns."""
    if count == 2:
        return [(_WIDTH * 0.2, _HEIGHT / 2), (_WIDTH * 0.8, _HEIGHT / 2)]
    if count == 4:  # corners, which leave more room between them
        return [(85, 36), (_WIDTH - 85, 36), (_WIDTH - 85, _HEIGHT - 36), (85, _HEIGHT - 36)]
    if count > _MOST_ROUND:
        on_the_left = count // 2
        return [*_bent_column(on_the_left, -1), *_bent_column(count - on_the_left, 1)]
    angles = [-math.pi / 2 + 2 * math.pi * number / count for number in range(count)]
    radius, middle = (140, _HEIGHT / 2 + 32) if count == 3 else (122, _HEIGHT / 2)
    return [(_WIDTH / 2 + 165 * math.cos(angle), middle + radius * math.sin(angle)) for angle in angles]


def _bent_column(count: int, side: int) -> list[Point]:
    """Places entities below each other, those in the middle farther out, so that no line hides all others."""
    steps = [(number + 0.5) / count for number in range(count)]
    return [(_WIDTH / 2 + side * (100 + 60 * math.sin(math.pi * step)), _HEIGHT * step) for step in steps]


def _spot(key: EntityKey, center: Point) -> Spot:
    """Computes the frame of an entity, inside the graph."""
    half, high = len(_shown_name(key)) * _LETTER / 2 + 12, 16
    x = min(max(center[0], half + 2), _WIDTH - half - 2)
    return Spot(center, Box(x - half, center[1] - high, x + half, center[1] + high))


def _line(
    number: int, pair: dict, spots: dict[EntityKey, Spot], taken: list[Box], is_chosen: bool, is_compared: bool
) -> PairLine:
    head, tail = spots[_key(pair["head"])], spots[_key(pair["tail"])]
    start, end = _reach(tail.center, head.frame), _reach(head.center, tail.frame)
    ends = f"{pair['head']['text']}, {relation_words(pair)}, {pair['tail']['text']}"
    return PairLine(
        number=number,
        title=f"{ends}: {pair['score']:.0%}",
        start=start,
        end=end,
        stroke_width=_WIDEST * pair["score"],
        label=_label(pair, start, end, taken) if is_related(pair) else None,
        is_chosen=is_chosen,
        is_compared=is_compared,
    )


def _label(pair: dict, start: Point, end: Point, taken: list[Box]) -> RelationLabel:
    """Places a label on its line, where it hides least of the names and labels in `taken`, which it joins."""
    text = f"{relation_words(pair)} {pair['score']:.0%}"
    half = len(text) * _LETTER * 0.98 / 2 + 8
    spots = [
        (
            min(max(start[0] + along * (end[0] - start[0]), half), _WIDTH - half),
            start[1] + along * (end[1] - start[1]) + beside,
        )
        for beside in _BESIDE
        for along in _ALONG
    ]
    plates = [Box(x - half, y - 12, x + half, y + 12) for x, y in spots]
    plate = min(plates, key=lambda plate: sum(plate.overlap(other) for other in taken))
    taken.append(plate)
    return RelationLabel(text, plate)


def _reach(start: Point, frame: Box) -> Point:
    """Computes where a line from `start` to the middle of a frame reaches it."""
    (x, y) = frame.center
    dx, dy = start[0] - x, start[1] - y
    half, high = frame.width / 2 + 3, frame.height / 2 + 3
    share = min(half / abs(dx) if dx else math.inf, high / abs(dy) if dy else math.inf, 1)
    return x + dx * share, y + dy * share
