"""Slices of a split that are scored apart, as in the paper's Figures 3 and 4.

- Pairs of the sentence: the number of the split's pairs that share its sentence and image.
- Relation types of the entity: the number of relations other than "None" that an entity has in a split. Entities are
  the same if their text is, lower-case; of head and tail the one with more types counts. Counted in the scored split,
  as the paper seems to do, this reads its gold labels: among entities without any type, all pairs are "None". Counted
  in the training split it does not, and measures what the model could have learned of the entity.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from vmhan.evaluation.predictions import SplitPredictions

#: Slices by name: the least and the greatest count.
PAIRS = {"1": (1, 1), "2 or 3": (2, 3), "4 or more": (4, np.inf)}
TYPES = {"none": (0, 0), "one": (1, 1), "several": (2, np.inf)}
Family = dict[str, np.ndarray]


def pairs_of_sentence(split: SplitPredictions) -> Family:
    """Computes the rows, `(pairs,)` bool, of each slice by the pairs of the sentence."""
    return _slice(np.bincount(split.sentence)[split.sentence], PAIRS)


def relation_types(rows: Dataset, among: Dataset, none_id: int) -> Family:
    """Computes the rows, `(pairs,)` bool, of each slice by the relation types of head or tail in the split `among`.

    Args:
        rows: The rows to slice, with `words`, `head_span` and `tail_span`.
        among: The rows in which relation types are counted, with `relation` too.
        none_id: Id of the negative label, which is no relation type.
    """
    types = defaultdict(set)
    for entities, relation in zip(entities_of(among), among["relation"], strict=True):
        for entity in entities if relation != none_id else ():
            types[entity].add(relation)
    return _slice(np.array([max(len(types.get(entity, ())) for entity in pair) for pair in entities_of(rows)]), TYPES)


def entities_of(rows: Dataset) -> list[tuple[str, str]]:
    """Returns the text of head and tail of each row, lower-case."""
    columns = (rows[name] for name in ("words", "head_span", "tail_span"))
    return [(_surface(words, head), _surface(words, tail)) for words, head, tail in zip(*columns, strict=True)]


def _surface(words: Sequence[str], span: Sequence[int]) -> str:
    return " ".join(words[span[0] : span[1]]).casefold()


def _slice(counts: np.ndarray, slices: dict[str, tuple[float, float]]) -> Family:
    return {name: (counts >= least) & (counts <= most) for name, (least, most) in slices.items()}
