"""The entities of a sentence and what is between them: every pair a line, every relation an arrow with its name."""

import math
from html import escape

from page.labels import is_related, relation_words, short

_WIDTH, _HEIGHT = 440, 300
_WIDEST = 6.0  # pixels of the line of a relation whose score is 1; others are in proportion
_LETTER = 8.1  # mean width at the font size of 15
_ALONG = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73)  # where on a line its label may stand, the best first
_BESIDE = (0, -22, 22)  # pixels above it
_MOST_ROUND = 6  # entities that an ellipse has room for
_MOST_FAINT = 8  # entities up to which pairs without a relation are drawn too


def graph_svg(pairs: list[dict], chosen: int, other: int | None = None) -> str:
    """The graph; each line can be chosen by a click or a key.

    Args:
        pairs: As the pipeline returns them.
        chosen: The pair that is shown.
        other: The pair that it is compared with.
    """
    entities = sorted({_key(entity) for pair in pairs for entity in (pair["head"], pair["tail"])})
    places = _places([text for _, _, text in entities])
    spots = dict(zip(entities, places, strict=True))
    order = sorted(range(len(pairs)), key=lambda number: (number == chosen, is_related(pairs[number])))
    taken = [_frame(entity[2], place) for entity, place in spots.items()]
    drawn = [
        _line(number, pairs[number], spots, ("chosen",) * (number == chosen) + ("other",) * (number == other), taken)
        for number in order
        if is_related(pairs[number]) or len(entities) <= _MOST_FAINT or number in (chosen, other)
    ]
    lines = "".join(part for parts in zip(*drawn, strict=True) for part in parts)  # labels lie on all lines
    ends = {_key(pairs[number][end]) for number in (chosen, other) if number is not None for end in ("head", "tail")}
    nodes = "".join(_node(entity[2], spots[entity], entity in ends) for entity in entities)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" class="graph" role="group" '
        'aria-label="Graph of the relations" font-size="15" fill="currentColor">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>'
        f"{lines}{nodes}</svg>"
    )


def _key(entity: dict) -> tuple[int, int, str]:
    return entity["start"], entity["end"], entity["text"]


def _places(names: list[str]) -> list[tuple[float, float]]:
    """On an ellipse that leaves room for the names, in the order of the sentence; many stand in two bent columns."""
    if len(names) == 2:
        return [(_WIDTH * 0.2, _HEIGHT / 2), (_WIDTH * 0.8, _HEIGHT / 2)]
    if len(names) == 4:  # corners, which leave more room between them
        return [(85, 36), (_WIDTH - 85, 36), (_WIDTH - 85, _HEIGHT - 36), (85, _HEIGHT - 36)]
    if len(names) > _MOST_ROUND:
        on_the_left = len(names) // 2
        return [*_bent_column(on_the_left, -1), *_bent_column(len(names) - on_the_left, 1)]
    turns = [-math.pi / 2 + 2 * math.pi * number / len(names) for number in range(len(names))]
    high, middle = (140, _HEIGHT / 2 + 32) if len(names) == 3 else (122, _HEIGHT / 2)
    return [(_WIDTH / 2 + 165 * math.cos(turn), middle + high * math.sin(turn)) for turn in turns]


def _bent_column(count: int, side: int) -> list[tuple[float, float]]:
    """Places below each other, those in the middle farther out, so that not all lines between them are one."""
    steps = [(number + 0.5) / count for number in range(count)]
    return [(_WIDTH / 2 + side * (100 + 60 * math.sin(math.pi * step)), _HEIGHT * step) for step in steps]


def _line(number: int, pair: dict, spots: dict, states: tuple[str, ...], taken: list) -> tuple[str, str]:
    """A line that can be chosen, and its label."""
    head, tail = (_key(pair[end]) for end in ("head", "tail"))
    related = is_related(pair)
    start = _edge_of(spots[tail], spots[head], head[2])
    end = _edge_of(spots[head], spots[tail], tail[2])
    told = f"{head[2]}, {relation_words(pair)}, {tail[2]}: {pair['score']:.0%}"
    kinds = " ".join(states if related else ("quiet", *states))
    way = f"M{start[0]:.0f} {start[1]:.0f}L{end[0]:.0f} {end[1]:.0f}"
    stroke = f'stroke-width="{_WIDEST * pair["score"]:.2f}" marker-end="url(#tip)"' if related else ""
    line = (
        f'<g class="link {kinds}" data-pair="{number}" data-key="line-{number}" role="button" tabindex="0" '
        f'aria-pressed="{str(bool(states)).lower()}" aria-label="{escape(told)}"><title>{escape(told)}</title>'
        f'<path class="reach" d="{way}"/><path class="stroke" d="{way}" {stroke}/>'
        "</g>"
    )
    label = _label(pair, start, end, taken) if related else ""
    return line, f'<g class="name {kinds}" data-pair="{number}">{label}</g>'


def _label(pair: dict, start, end, taken: list[tuple[float, float, float, float]]) -> str:
    """Name and confidence on a line, where they hide least of the names and labels in `taken`, which they join."""
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
    plates = [(x - half, y - 12, x + half, y + 12) for x, y in spots]
    plate = min(plates, key=lambda plate: sum(_overlap(plate, other) for other in taken))
    taken.append(plate)
    x, y = (plate[0] + plate[2]) / 2, (plate[1] + plate[3]) / 2
    return (
        f'<rect class="plate" x="{x - half:.0f}" y="{y - 12:.0f}" width="{2 * half:.0f}" height="24" rx="12"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" font-weight="600">{escape(text)}</text>'
    )


def _overlap(first, second) -> float:
    """The area that two boxes share."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return max(wide, 0) * max(high, 0)


def _frame(name: str, place: tuple[float, float]) -> tuple[float, float, float, float]:
    """The box of an entity's frame, inside the graph."""
    half, high = len(short(name, 20)) * _LETTER / 2 + 12, 16
    x = min(max(place[0], half + 2), _WIDTH - half - 2)
    return x - half, place[1] - high, x + half, place[1] + high


def _node(name: str, place: tuple[float, float], lit: bool) -> str:
    left, top, right, bottom = _frame(name, place)
    return (
        f'<g class="entity{" lit" if lit else ""}"><title>{escape(name)}</title>'
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" height="{bottom - top:.0f}" rx="8"/>'
        f'<text x="{(left + right) / 2:.0f}" y="{place[1] + 5:.0f}" text-anchor="middle">{escape(short(name, 20))}'
        "</text></g>"
    )


def _edge_of(start, end, name: str) -> tuple[float, float]:
    """Where a line from `start` reaches the frame around `end`."""
    left, top, right, bottom = _frame(name, end)
    x, y = (left + right) / 2, (top + bottom) / 2
    dx, dy = start[0] - x, start[1] - y
    wide, high = (right - left) / 2 + 3, (bottom - top) / 2 + 3
    share = min(wide / abs(dx) if dx else 9e9, high / abs(dy) if dy else 9e9, 1)
    return x + dx * share, y + dy * share
