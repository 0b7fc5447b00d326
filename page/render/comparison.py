"""How the attention of two pairs differs."""

from dataclasses import dataclass

from page.labels import node_name
from page.render.explanations import even_nodes, no_nodes_note


@dataclass(frozen=True)
class Move:
    """The attention of two pairs on one visual node."""

    name: str
    first: float
    second: float

    @property
    def change(self) -> float:
        """How much more attention the second pair gives, in percentage points."""
        return 100 * (self.second - self.first)


@dataclass(frozen=True)
class Comparison:
    """Two pairs, each as (head, tail), and the attention of both on every visual node of either.

    Args:
        note: Why there is no move, or that attention is nearly uniform in both; else None.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    moves: list[Move]
    note: str | None


def compare_pairs(answer: dict, chosen: int, other: int) -> Comparison:
    """Compares the attention of two pairs, the node that loses most of it first.

    Args:
        answer: As `pair_details` takes it.
        chosen: The pair that is shown.
        other: The pair that it is compared with.
    """
    pairs = [answer["pairs"][number] for number in (chosen, other)]
    moves, note = _moves(*pairs), None
    if not moves:
        note = no_nodes_note(answer)
    elif all(even_nodes(pair) for pair in pairs):
        note = "In both, that on the objects is nearly uniform: it says nothing about which of them mattered."
    first, second = ((pair["head"]["text"], pair["tail"]["text"]) for pair in pairs)
    return Comparison(first, second, moves, note)


def _moves(first: dict, second: dict) -> list[Move]:
    before, after = ({node["label"]: node["attention"] for node in pair["objects"]} for pair in (first, second))
    labels = dict.fromkeys([*before, *after])
    moves = [Move(node_name(label), before.get(label, 0.0), after.get(label, 0.0)) for label in labels]
    return sorted(moves, key=lambda move: move.second - move.first)
