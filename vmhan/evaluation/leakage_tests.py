"""The three leakage tests of one side input; `vmhan.evaluation.audit` judges their outcome."""

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
    """A side input, with a value for each row.

    Args:
        name: The label in a table.
        key: The columns it should be a function of, or `pair`.
        values: For each split the value of each row: a list of items, a text, or None for nothing known.
        in_words: Whether the items of a list are text, such as names; other items are not tested for their words.
        of_task: Whether the task itself gives the input, so that it is reported but cannot fail.
    """

    name: str
    key: tuple[str, ...]
    values: dict[str, list] = field(repr=False)
    in_words: bool = True
    of_task: bool = False


def key_columns(rows: Dataset, key: tuple[str, ...]) -> list[list]:
    """Reads the columns of a key; `pair` is head and tail in the order of the sentence."""
    pairs = ("head_span", "tail_span")
    return [
        list(map(sorted, zip(*(rows[span] for span in pairs), strict=True))) if name == "pair" else list(rows[name])
        for name in key
    ]


def contradictions(item: SideInput, rows: Dataset, values: list) -> dict[str, int]:
    """Counts the keys of several rows, and those of them with several values: test (a)."""
    seen = defaultdict(list)
    for key, value in zip(zip(*key_columns(rows, item.key), strict=True), values, strict=True):
        seen[json.dumps(key)].append(json.dumps(value))
    repeated = [found for found in seen.values() if len(found) > 1]
    return {"repeated_keys": len(repeated), "contradicting": sum(len(set(found)) > 1 for found in repeated)}


def shape(value: list | str | None) -> tuple[int, int, int]:
    """Counts the items of a value, those that are not empty, zero or False, and the words of all.

    The items of a string are its words. None, which is nothing known, differs from no items.

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
    """Joins all words of a value, however deep in lists."""
    if isinstance(value, list | tuple):
        return " ".join(filter(None, map(as_words, value)))
    return value if isinstance(value, str) else ""


def lookup(
    train_keys: Sequence[Hashable],
    train_labels: np.ndarray,
    keys: Sequence[Hashable],
    labels: np.ndarray,
    relations: ClassLabel,
) -> dict:
    """Predicts for each key the most frequent label of its training rows, and scores the predictions: test (b).

    A key without training rows gets the most frequent label of all.

    Args:
        train_keys: Of each training row.
        train_labels: `(train rows,)`, gold label ids.
        keys: Of each row to predict.
        labels: `(rows,)`, gold label ids.
        relations: The type of the labels.

    Returns:
        `entries`, the number of keys in training; of the `relation` and of `none_or_not` the `accuracy`, that of the
        `majority`, the interval of 99 % of the accuracies under permutations of the predictions, `permuted`, and the
        best of these, `most_permuted`; and the `metrics` of the predicted relations.
    """
    no_relation = no_relation_of(relations)
    none_id = relations.str2int(no_relation)
    predictions = _look_up(train_keys, train_labels, keys)
    none_predictions = _look_up(train_keys, train_labels == none_id, keys)
    return {
        "entries": len(set(train_keys)),
        "relation": _beside_chance(predictions, labels, most_frequent(train_labels)),
        "none_or_not": _beside_chance(none_predictions, labels == none_id, most_frequent(train_labels == none_id)),
        "metrics": relation_metrics(predictions, labels, relations.names, no_relation),
    }


def _look_up(train_keys: Sequence[Hashable], train_labels: np.ndarray, keys: Sequence[Hashable]) -> np.ndarray:
    counts_of, majority = defaultdict(Counter), most_frequent(train_labels)
    for key, label in zip(train_keys, train_labels.tolist(), strict=True):
        counts_of[key][label] += 1
    table = {key: counts.most_common(1)[0][0] for key, counts in counts_of.items()}
    return np.array([table.get(key, majority) for key in keys])


def _beside_chance(predictions: np.ndarray, labels: np.ndarray, majority: int) -> dict:
    random = np.random.default_rng(0)
    permuted = sorted(float((random.permutation(predictions) == labels).mean()) for _ in range(PERMUTATIONS))
    tail = PERMUTATIONS // 200
    return {
        "accuracy": float((predictions == labels).mean()),
        "majority": float((labels == majority).mean()),
        "permuted": [permuted[tail], permuted[-1 - tail]],
        "most_permuted": permuted[-1],
    }


def word_scores(
    train_values: list, train_labels: np.ndarray, values: list, labels: np.ndarray, relations: ClassLabel
) -> dict:
    """Computes the `relation_metrics` of a logistic regression over words and pairs of words: test (c)."""
    words = CountVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=r"\S+")
    model = make_pipeline(words, LogisticRegression(max_iter=300))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # more steps would not change the outcome
            model.fit(list(map(as_words, train_values)), train_labels)
            predictions = model.predict(list(map(as_words, values)))
    except ValueError:  # no word is in two rows, or all rows have one label: there is nothing to learn
        predictions = np.full(len(labels), most_frequent(train_labels))
    return relation_metrics(predictions, labels, relations.names, no_relation_of(relations))


def most_frequent(labels: np.ndarray) -> int:
    """Finds the label of most rows; of several, the one that comes first."""
    return Counter(labels.tolist()).most_common(1)[0][0]
