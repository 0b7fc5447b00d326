"""Describes the overlap of the splits of a data set."""


def in_words(overlaps: list[dict]) -> str:
    """Describes how much of test is in train, for the documentation and model cards.

    Args:
        overlaps: Counts of each two splits, as `python -m train.data.overlap` writes them.
    """
    (of_test,) = [overlap for overlap in overlaps if (overlap["split"], overlap["in"]) == ("test", "train")]
    sentence, stripped = of_test["sentence"], of_test["stripped_sentence"]
    return (
        f"Part of the test split is also in the training split: {sentence['different']} test sentences "
        f"({sentence['rows']} rows, {of_test['pair']['rows']} of them with the same two entities) word for word, "
        f"{stripped['different']} ({stripped['rows']} rows) without links and handles. "
        f"Of the {of_test['rows']:,} test rows {of_test['ordered_names']['rows']} have names of head and tail "
        f"that a training row has in this order, {of_test['unordered_names']['rows']} in any order."
    )
