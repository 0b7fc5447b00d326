"""The questions that the audit asks of one input; what the answers mean is a matter of `train.audit`."""

import json
import warnings
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
from datasets import ClassLabel, Dataset
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from vmhan.data.schema import no_relation_of
from vmhan.evaluation.metrics import relation_metrics

PERMUTATIONS = 1000


@dataclass
class SideInput:
    """One input, with a value for each row.

    Args:
        name: Of the input, in a table.
        key: Columns it claims to be a function of, or `pair`.
        values: Of each split, a value for each row: a list of things, words, or None for nothing.
        in_words: Whether the things in a list are words, such as names; otherwise what they say is not looked at.
        of_task: Whether the task itself gives the input, so that it is reported but cannot fail.
    """

    name: str
    key: tuple[str, ...]
    values: dict[str, list] = field(repr=False)
    in_words: bool = True
    of_task: bool = False


def key_columns(rows: Dataset, key: tuple[str, ...]) -> list[list]:
    """The columns of a key; `pair` is head and tail in the order of the sentence."""
    pairs = ("head_span", "tail_span")
    return [
        list(map(sorted, zip(*(rows[span] for span in pairs), strict=True))) if name == "pair" else list(rows[name])
        for name in key
    ]


def contradictions(item: SideInput, rows, values: list) -> dict[str, int]:
    """Question (a): how many keys stand in several rows, and how many of these have several values."""
    seen = defaultdict(list)
    for key, value in zip(zip(*key_columns(rows, item.key), strict=True), values, strict=True):
        seen[json.dumps(key)].append(json.dumps(value))
    repeated = [found for found in seen.values() if len(found) > 1]
    return {"repeated_keys": len(repeated), "contradicting": sum(len(set(found)) > 1 for found in repeated)}


def shape(value: list | str | None) -> tuple[int, int, int]:
    """How many items a value has, how many of them are not empty, zero or False, and how many words there are in all.

    The items of a string are its words. None, which is nothing known, differs from nothing there.

    >>> shape(["a man", "", "a dog"])
    (3, 2, 4)
    >>> shape([[0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])  # two boxes, one of them padding
    (2, 1, 0)
    """
    if value is None:
        return -1, 0, 0
    items = value.split() if isinstance(value, str) else value
    return len(items), sum(map(_filled, items)), len(as_words(value).split())


def _filled(item) -> bool:
    if isinstance(item, str):
        return bool(item.strip())
    return any(map(_filled, item)) if isinstance(item, list | tuple) else bool(item)


def as_words(value) -> str:
    """All words of a value, however deep in lists, in a line."""
    if isinstance(value, list | tuple):
        return " ".join(filter(None, map(as_words, value)))
    return value if isinstance(value, str) else ""


def lookup(
    fit_keys: Sequence[Hashable], fit: np.ndarray, keys: Sequence[Hashable], asked: np.ndarray, relations: ClassLabel
) -> dict:
    """Question (b): a table from each key to the most frequent label of its training rows, read for the rows asked.

    A key that no training row has gets the most frequent label of all.

    Returns:
        `entries`, the length of the table; of the `relation` and of `none_or_not` the `accuracy`, that of the
        `majority`, the interval that holds 99 % of the accuracies when the rows asked swap their guesses, `permuted`,
        and the best of these, `most_permuted`; and the `metrics` of the relations found.
    """
    no_relation = no_relation_of(relations)
    none_id = relations.str2int(no_relation)
    guesses = _look_up(fit_keys, fit, keys)
    none_guesses = _look_up(fit_keys, fit == none_id, keys)
    return {
        "entries": len(set(fit_keys)),
        "relation": _beside_chance(guesses, asked, most_frequent(fit)),
        "none_or_not": _beside_chance(none_guesses, asked == none_id, most_frequent(fit == none_id)),
        "metrics": relation_metrics(guesses, asked, relations.names, no_relation),
    }


def _look_up(fit_keys: Sequence[Hashable], fit: np.ndarray, keys: Sequence[Hashable]) -> np.ndarray:
    labels, majority = defaultdict(Counter), most_frequent(fit)
    for key, label in zip(fit_keys, fit.tolist(), strict=True):
        labels[key][label] += 1
    table = {key: counts.most_common(1)[0][0] for key, counts in labels.items()}
    return np.array([table.get(key, majority) for key in keys])


def _beside_chance(guesses: np.ndarray, asked: np.ndarray, majority: int) -> dict:
    random = np.random.default_rng(0)
    permuted = sorted(float((random.permutation(guesses) == asked).mean()) for _ in range(PERMUTATIONS))
    tail = PERMUTATIONS // 200
    return {
        "accuracy": float((guesses == asked).mean()),
        "majority": float((majority == asked).mean()),
        "permuted": [permuted[tail], permuted[-1 - tail]],
        "most_permuted": permuted[-1],
    }


def word_scores(fit_values: list, fit: np.ndarray, values: list, asked: np.ndarray, relations: ClassLabel) -> dict:
    """Question (c): scores of a logistic regression over words, as `relation_metrics` counts them."""
    words = CountVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=r"\S+")
    model = make_pipeline(words, LogisticRegression(max_iter=300))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # more steps would not change what the words tell
            guesses = model.fit(list(map(as_words, fit_values)), fit).predict(list(map(as_words, values)))
    except ValueError:  # no word stands in two rows, or all rows have one label: there is nothing to learn
        guesses = np.full(len(asked), most_frequent(fit))
    return relation_metrics(guesses, asked, relations.names, no_relation_of(relations))


def most_frequent(labels: np.ndarray) -> int:
    """The label of most rows; of several, the one that comes first."""
    return Counter(labels.tolist()).most_common(1)[0][0]
