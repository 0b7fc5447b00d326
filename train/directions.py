"""Which way round pairs stand: what MNRE's order gives away, and rows that do not know it.

Annotators wrote related pairs in the direction of the relation, and the others as they stand in the sentence. A model
that is told the order of its pairs learns that, and is wrong about the pairs of a user, who does not know the order.
"""

from collections import Counter

from datasets import ClassLabel, Dataset, concatenate_datasets

from vmhan.data_rows import find_no_relation

#: Relations that hold both ways round.
SYMMETRIC = frozenset(
    {
        "/org/org/alternate_names",
        "/per/per/alternate_names",
        "/per/per/alumi",
        "/per/per/couple",
        "/per/per/neighbor",
        "/per/per/peer",
        "/per/per/siblings",
    }
)


def count_by_order(dataset: Dataset) -> dict[str, dict[str, int]]:
    """How many pairs are related and how many are not, by which of head and tail comes first in the sentence."""
    relations: ClassLabel = dataset.features["relation"]
    none = relations.str2int(find_no_relation(relations.names))
    columns = (dataset[name] for name in ("head_span", "tail_span", "relation"))
    counts = Counter((head < tail, relation != none) for head, tail, relation in zip(*columns, strict=True))
    return {
        order: {"related": counts[is_first, True], "unrelated": counts[is_first, False]}
        for order, is_first in (("head_first", True), ("tail_first", False))
    }


def add_undirected(dataset: Dataset) -> Dataset:
    """The rows, whose direction is given, and each pair of them both ways round, where it is not.

    It costs little: all share the encoding of their sentence.
    """
    return concatenate_datasets([with_direction(dataset, given=True), with_direction(both_ways(dataset), given=False)])


def with_direction(dataset: Dataset, given: bool) -> Dataset:
    """The rows with a column that says whether their direction is given."""
    return dataset.add_column("direction_given", [given] * len(dataset))


def both_ways(dataset: Dataset) -> Dataset:
    """The rows, and after them all of them the other way round: the same relation if it is symmetric, else none."""
    relations: ClassLabel = dataset.features["relation"]
    none = relations.str2int(find_no_relation(relations.names))
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
