"""More training rows out of the same sentences."""

from datasets import ClassLabel, Dataset, concatenate_datasets

from train.data import NO_RELATION

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


def add_reversed(dataset: Dataset) -> Dataset:
    """Each pair the other way round too: the same relation if it is symmetric, otherwise none.

    A model that has only seen the order of the annotators names relations for most pairs whose order is wrong, and a
    user does not know the order. It costs little: both share the encoding of their sentence.
    """
    relations: ClassLabel = dataset.features["relation"]
    none = relations.str2int(NO_RELATION)
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
