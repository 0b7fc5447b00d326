"""Entities that are objects of the image: which pairs have one for a tail, and which objects stand beside it."""

from collections.abc import Sequence

from .node_selection import NodeSelection, Span


def find_object_tails(
    mentions: Sequence[Sequence[Span | int]],
    pairs: Sequence[Sequence[tuple[int, int]]],
    images: Sequence[dict | None] | None,
) -> list[list[int]]:
    """Of each pair of each sentence the object that is its tail, -1 where the tail is text.

    Args:
        mentions, pairs, images: As `VMHANProcessor` takes them.

    Raises:
        ValueError: A head is an object, or a tail is one that the image has not.
    """
    tails = []
    for row, (of_sentence, wanted) in enumerate(zip(mentions, pairs, strict=True)):
        image = images[row] if images is not None else None
        count = len((image or {}).get("objects") or [])
        tails.append([_object_tail(of_sentence, pair, row, count) for pair in wanted])
    return tails


def _object_tail(mentions: Sequence[Span | int], pair: tuple[int, int], row: int, count: int) -> int:
    head, tail = (mentions[index] for index in pair)
    if isinstance(head, int):
        raise ValueError(f"The head of the pair {pair} of sentence {row} is object {head}; heads are in the text.")
    if not isinstance(tail, int):
        return -1
    if not 0 <= tail < count:
        raise ValueError(
            f"The tail of the pair {pair} of sentence {row} is object {tail}, but its image has {count} objects, "
            "counted from 0."
        )
    return tail


def beside_tails(
    selections: Sequence[NodeSelection], tails: Sequence[int], counts: Sequence[int], max_objects: int
) -> list[NodeSelection]:
    """Selections that keep the first `max_objects` beside the tail, where nobody has chosen among the objects.

    Args:
        selections: One for each pair.
        tails: The object that is the tail of each pair, or -1.
        counts: How many objects the image of each pair has.
        max_objects: The paper's k. Like an entity of the text, the tail is none of them.
    """
    return [
        selection
        if selection.objects is not None
        else selection._replace(objects=[place for place in range(count) if place != tail][:max_objects])
        for selection, tail, count in zip(selections, tails, counts, strict=True)
    ]
