"""The direction of pairs: what MNRE's order of head and tail gives away, and rows without a direction.

Annotators wrote related pairs in the direction of the relation, and the others as they stand in the sentence. A model
whose pairs are always given in order learns that, and is wrong about the pairs of a user, who does not know the order.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, concatenate_datasets

from vmhan.data.schema import SYMMETRIC, has_object_tails, no_relation_of, sentence_key, sort_by_sentence


def count_pair_orders(splits: DatasetDict) -> dict[str, dict[str, dict[str, int]]]:
    """Counts as `count_by_order` of each split; none where tails are objects, which have no place in the sentence."""
    if has_object_tails(splits["train"].column_names):
        return {}
    return {name: count_by_order(split) for name, split in splits.items()}


def count_by_order(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Counts the pairs with and without a relation, by which of head and tail comes first in the sentence."""
    relations: ClassLabel = dataset.features["relation"]
    none = relations.str2int(no_relation_of(relations))
    columns = (dataset[name] for name in ("head_span", "tail_span", "relation"))
    counts = Counter((head < tail, relation != none) for head, tail, relation in zip(*columns, strict=True))
    return {
        order: {"related": counts[is_first, True], "unrelated": counts[is_first, False]}
        for order, is_first in (("head_first", True), ("tail_first", False))
    }


def order_rows(splits: DatasetDict, undirected_pairs: bool) -> DatasetDict:
    """Puts the pairs of a sentence side by side where they are evaluated, and adds undirected pairs to train on."""
    train = training_pairs(splits["train"]) if undirected_pairs else splits["train"]
    evaluated = {name: sort_by_sentence(splits[name]) for name in ("validation", "test")}
    return DatasetDict({**splits, "train": train, **evaluated})


def training_pairs(dataset: Dataset) -> Dataset:
    """Adds to the rows each pair both ways round without a direction, as `add_undirected`, without contradictions.

    A pair that is annotated both ways round has its own label the other way round, so it is not turned.
    """
    columns = ("words", "image_id", "head_span", "tail_span")
    pairs = dataset.select_columns(columns).to_list()
    annotated = {(*sentence_key(pair), *pair["head_span"], *pair["tail_span"]) for pair in pairs}
    turned = [(*sentence_key(pair), *pair["tail_span"], *pair["head_span"]) for pair in pairs]
    kept = [index for index, pair in enumerate(turned) if pair not in annotated]
    both = both_ways(dataset).select([*range(len(dataset)), *(len(dataset) + index for index in kept)])
    return concatenate_datasets([with_direction(dataset, given=True), with_direction(both, given=False)])


def add_undirected(dataset: Dataset) -> Dataset:
    """Adds to the rows, whose direction is given, each pair of them both ways round without a direction.

    It costs little: all share the encoding of their sentence.
    """
    return concatenate_datasets([with_direction(dataset, given=True), with_direction(both_ways(dataset), given=False)])


class EvaluationRows(NamedTuple):
    """The rows that score a split in both modes, and the row of the split that each comes from.

    Args:
        rows: Each pair with its direction given, then as annotated and the other way round without it; the pairs of a
            sentence side by side. Where tails are objects, which have no other direction, the pairs alone.
        order: Sorts `rows` by these modes, and within a mode as the split is, (rows,).
        modes: How many there are, 3 or 1.
    """

    rows: Dataset
    order: np.ndarray
    modes: int

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Splits values of `rows`, (rows, ...), by mode, each in the order of the split."""
        return np.split(values[self.order], self.modes)


def evaluation_rows(dataset: Dataset) -> EvaluationRows:
    """Lays out a split so that one pass scores it in both modes."""
    one_way = has_object_tails(dataset.column_names)
    rows = dataset if one_way else add_undirected(dataset)
    rows = sort_by_sentence(rows.add_column("index", range(len(rows))))
    return EvaluationRows(rows, np.argsort(rows["index"]), 1 if one_way else 3)


def with_direction(dataset: Dataset, given: bool) -> Dataset:
    """Adds the column `direction_given`."""
    return dataset.add_column("direction_given", [given] * len(dataset))


def both_ways(dataset: Dataset) -> Dataset:
    """Adds all rows the other way round: with the same relation if it is symmetric, else with none."""
    relations: ClassLabel = dataset.features["relation"]
    none = relations.str2int(no_relation_of(relations))
    symmetric = {relations.str2int(name) for name in SYMMETRIC & set(relations.names)}
    swapped = dataset.map(
        lambda row: {
            "head_span": row["tail_span"],
            "tail_span": row["head_span"],
            "relation": row["relation"] if row["relation"] in symmetric else none,
        },
        features=dataset.features,
        desc="Reversing pairs",
    )
    return concatenate_datasets([dataset, swapped])
