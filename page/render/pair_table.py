"""The table of all pairs: relation in words, confidence, entropy."""

import re
from dataclasses import dataclass

from page.labels import is_related, relation_words, relative_entropy


@dataclass(frozen=True)
class PairTableRow:
    """One pair of the table.

    Args:
        label_parts: The relation's label, cut where a line may break; empty for a pair without a relation.
        is_chosen: Whether the pair is shown below the table.
        is_compared: Whether it is compared with the pair that is shown.
    """

    number: int
    head: str
    tail: str
    relation: str
    label_parts: list[str]
    is_related: bool
    score: float
    relative_entropy: float
    is_chosen: bool
    is_compared: bool


@dataclass(frozen=True)
class PairTable:
    """All pairs; `is_comparing` says that one of them is compared with the one that is shown."""

    rows: list[PairTableRow]
    is_comparing: bool


def pair_table(pairs: list[dict], chosen: int, other: int | None = None) -> PairTable:
    """Collects the rows of the table. A button in every row lets the keyboard choose a pair, another compares it."""
    rows = [_row(number, pair, number == chosen, number == other) for number, pair in enumerate(pairs)]
    return PairTable(rows, other is not None)


def _row(number: int, pair: dict, is_chosen: bool, is_compared: bool) -> PairTableRow:
    return PairTableRow(
        number=number,
        head=pair["head"]["text"],
        tail=pair["tail"]["text"],
        relation=relation_words(pair),
        label_parts=re.split(r"(?<=[/_])", pair["relation"]) if is_related(pair) else [],
        is_related=is_related(pair),
        score=pair["score"],
        relative_entropy=relative_entropy(pair),
        is_chosen=is_chosen,
        is_compared=is_compared,
    )
