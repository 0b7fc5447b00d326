"""Parts of a split on which a run is scored apart, the questions of the paper's Figures 3 and 4.

- Pairs of the sentence: how many of the split's pairs share its sentence and image.
- Relation types of the entity: in how many kinds of relation, "None" not counted, an entity stands in a split. It is
  known by its words alone, lower-case, and of head and tail the one with more counts. Asked of the scored split, as
  the paper seems to, this looks at its gold labels: among entities without any, all pairs are "None". Asked of the
  training split it does not, and says what the model could have learnt of the entity.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from vmhan.evaluation.predictions import SplitPredictions

#: Slices by what is counted: the name of each, its least and its greatest count.
PAIRS = {"1": (1, 1), "2 or 3": (2, 3), "4 or more": (4, np.inf)}
TYPES = {"none": (0, 0), "one": (1, 1), "several": (2, np.inf)}
Family = dict[str, np.ndarray]


def pairs_of_sentence(split: SplitPredictions) -> Family:
    """Rows, `(pairs,)` bool, of each slice by the pairs of the sentence."""
    return _cut(np.bincount(split.sentence)[split.sentence], PAIRS)


def relation_types(rows: Dataset, among: Dataset, none_id: int) -> Family:
    """Rows, `(pairs,)` bool, of each slice by the relation types that head or tail has in the split `among`.

    Args:
        rows: What to slice; `words`, `head_span` and `tail_span` are read.
        among: Where relations are counted; `relation` too is read.
        none_id: Label id that is no relation type.
    """
    types = defaultdict(set)
    for entities, relation in zip(entities_of(among), among["relation"], strict=True):
        for entity in entities if relation != none_id else ():
            types[entity].add(relation)
    return _cut(np.array([max(len(types.get(entity, ())) for entity in pair) for pair in entities_of(rows)]), TYPES)


def entities_of(rows: Dataset) -> list[tuple[str, str]]:
    """The words of head and tail of each row, lower-case."""
    columns = (rows[name] for name in ("words", "head_span", "tail_span"))
    return [(_surface(words, head), _surface(words, tail)) for words, head, tail in zip(*columns, strict=True)]


def _surface(words: Sequence[str], span: Sequence[int]) -> str:
    return " ".join(words[span[0] : span[1]]).casefold()


def _cut(counts: np.ndarray, slices: dict[str, tuple[float, float]]) -> Family:
    return {name: (counts >= least) & (counts <= most) for name, (least, most) in slices.items()}
