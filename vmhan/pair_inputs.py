"""Pairs as batch parts: which object is a tail, and the selected nodes as wordpiece spans and object masks."""

from collections.abc import Sequence

import torch

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


def flat_selections(
    selections: Sequence[Sequence[NodeSelection | None]] | None, pairs: Sequence[Sequence]
) -> list[NodeSelection]:
    """The selection of each pair, sentence after sentence; an empty one where there is none.

    Raises:
        ValueError: A sentence has not one selection for each of its pairs.
    """
    if selections is None:
        return [NodeSelection() for of_sentence in pairs for _ in of_sentence]
    counts, wanted = [len(of_sentence) for of_sentence in selections], [len(of_sentence) for of_sentence in pairs]
    if counts != wanted:
        raise ValueError(f"selections has {counts} entries for sentences with {wanted} pairs; give one for each pair.")
    return [selection or NodeSelection() for of_sentence in selections for selection in of_sentence]


def text_phrase_tensors(phrases: list[list[Span]]) -> dict[str, torch.Tensor]:
    """`text_phrase_spans` (pairs, m, 2) and `text_phrase_mask` (pairs, m); nothing where no pair has a phrase."""
    longest = max(map(len, phrases), default=0)
    if not longest:
        return {}
    padded = [[*of_pair, *[(0, 1)] * (longest - len(of_pair))] for of_pair in phrases]
    counts = torch.tensor([len(of_pair) for of_pair in phrases])
    return {"text_phrase_spans": torch.tensor(padded), "text_phrase_mask": torch.arange(longest) < counts[:, None]}


def kept_objects(selections: list[NodeSelection], pair_image: torch.Tensor, object_mask: torch.Tensor) -> torch.Tensor:
    """`pair_object_mask` (pairs, objects): the objects that stay for each pair.

    Args:
        selections: One for each pair.
        pair_image: Row of each pair's image, -1 for none, (pairs,).
        object_mask: Which objects an image has, (images, objects).

    Raises:
        ValueError: A selection keeps an object that the image has not.
    """
    counts = object_mask.sum(dim=1).tolist()
    mask = torch.ones(len(selections), object_mask.shape[1], dtype=torch.bool)
    for row, (selection, image) in enumerate(zip(selections, pair_image.tolist(), strict=True)):
        if selection.objects is None:
            continue
        count = counts[image] if image >= 0 else 0
        wrong = [index for index in selection.objects if not 0 <= index < count]
        if wrong:
            raise ValueError(
                f"The selection of pair {row} keeps the objects {list(selection.objects)}, but its image has {count} "
                f"here, counted from 0; select among the first max_objects of the image."
            )
        mask[row] = False
        mask[row, list(selection.objects)] = True
    return mask
