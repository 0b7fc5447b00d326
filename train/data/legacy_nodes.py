"""Protocol `legacy-crops`: the field's shared per-row files as visual nodes of each pair. It leaks the label.

The names of the crops are nothing but running numbers, and their pixels cannot be redistributed. What is left is how
many there are, and the phrase that they were searched with: the names of the two entities and, for each crop beyond
two, one more word. A pair gets a node that says how many crops, for an attention that averages nodes does not count
them; one of the phrase; and one of the last words.
"""

import logging

from datasets import Dataset, DatasetDict

from train.data.legacy_crops import words_beyond_names
from train.data.selection import FEATURE

logger = logging.getLogger(__name__)

#: Logged by every run with the shared crops.
LEGACY_WARNING = (
    "PROTOCOL legacy-crops: THE INPUTS OF THIS RUN LEAK THE GOLD LABEL. Its numbers say how well labels are read off "
    "the crops that the field shares. Compare them with print only, never with the protocol clean."
)


def add_legacy_nodes(splits: DatasetDict, legacy: dict[str, dict[str, list]]) -> DatasetDict:
    """Adds the column `selection` with the nodes of each row, and logs a warning.

    Args:
        splits: Rows with their `line`.
        legacy: As `read_legacy_crops` gives it, an entry for each line.
    """
    logger.warning(LEGACY_WARNING)
    return DatasetDict({name: _with_nodes(rows, **legacy[name]) for name, rows in splits.items()})


def _with_nodes(rows: Dataset, crops: list[list[str]], phrases: list[str]) -> Dataset:
    column = [
        {"text_phrases": [], "visual_phrases": legacy_phrases(crops[line - 1], phrases[line - 1]), "objects": None}
        for line in rows["line"]
    ]
    return rows.add_column("selection", column, feature=FEATURE)


def legacy_phrases(crops: list[str], phrase: str) -> list[str]:
    """Builds the phrases of the nodes of a pair.

    >>> legacy_phrases(["a.png", "b.png", "c.png"], "Bill Cosby Hollywood Walk of Fame person")
    ['3 crops', 'Bill Cosby Hollywood Walk of Fame person', 'person']
    """
    last_words = " ".join(words_beyond_names(crops, phrase))
    return [words for words in (f"{len(crops)} crops", phrase, last_words) if words.strip()]
