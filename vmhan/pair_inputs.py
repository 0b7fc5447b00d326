"""Sentences and pairs as examples, checked, and as batch parts: spans, object tails and selected nodes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import torch

from .node_selection import NodeSelection, Span

T = TypeVar("T")
P = TypeVar("P")


@dataclass
class PairSpec:
    """Holds a pair of a sentence.

    Args:
        head, tail: Indices into the mentions of the sentence.
        label: Relation id, or a probability for each relation; None where it is not known.
        direction_given: Whether annotators give head and tail in this order; None where it is not known.
        selection: The nodes selected for the pair; by default none.
        annotation_style: Index into `VMHANConfig.annotation_styles`; None: the first.
        candidates: Whether the gold label may be each of the labels; by default it is `label`.
        weight: Weight in the loss; None: 1.
        kinds: Indices into `VMHANConfig.mention_kinds` of head and tail, -100 where one is not known.
    """

    head: int
    tail: int
    label: int | Sequence[float] | None = None
    direction_given: bool | None = None
    selection: NodeSelection = field(default_factory=NodeSelection)
    annotation_style: int | None = None
    candidates: Sequence[bool] | None = None
    weight: float | None = None
    kinds: tuple[int, int] | None = None


@dataclass(frozen=True)
class EntityTargets:
    """Holds what is known of the entities of a sentence.

    Args:
        mentions: [start, end) characters and kind of each, the kind None where it is not known.
        kinds: The kinds of `VMHANConfig.mention_kinds`.
        unknown: [start, end) characters of which nothing is known where no mention is.
        unannotated: Kinds that the annotators did not mark.
    """

    mentions: Sequence[tuple[int, int, str | None]]
    kinds: Sequence[str]
    unknown: Sequence[Span] = ()
    unannotated: Sequence[str] = ()


@dataclass
class SentenceExample:
    """Holds a sentence with its mentions, pairs and image.

    Args:
        text: The sentence.
        mentions: [start, end) characters, or, for an object of the image, its index.
        pairs: The pairs.
        image: Image, description and objects as `VMHANProcessor` takes them, or None.
        entities: Those to learn to find in a sentence without pairs; None: nothing is learned of it.
    """

    text: str
    mentions: Sequence[Span | int]
    pairs: list[PairSpec]
    image: dict | None = None
    entities: "EntityTargets | None" = None

    @property
    def objects(self) -> list[dict]:
        """Returns the objects of the image."""
        return (self.image or {}).get("objects") or []

    @property
    def tail_objects(self) -> list[int | None]:
        """Returns the object that is the tail of each pair, None where the tail is text."""
        tails = [self.mentions[pair.tail] for pair in self.pairs]
        return [tail if isinstance(tail, int) else None for tail in tails]

    @property
    def has_object_tails(self) -> bool:
        """Returns whether the tail of any pair is an object."""
        return any(tail is not None for tail in self.tail_objects)


class Wordpieces(NamedTuple):
    """Wordpieces of a sentence: `ids`, and the [start, end) characters of each, None for special tokens."""

    ids: list[int]
    offsets: list[Span | None]

    def find(self, span: Span, text: str) -> Span:
        """Finds the wordpieces [start, end) that share a character with `span`.

        Raises:
            ValueError: There are none.
        """
        start, end = span
        inside = [i for i, offset in enumerate(self.offsets) if offset and offset[0] < end and offset[1] > start]
        if not inside:
            raise ValueError(
                f"The encoder has no wordpiece for the entity or phrase {text[start:end]!r} at characters {start} to "
                f"{end}; choose a span that holds letters, digits or signs."
            )
        return inside[0], inside[-1] + 1

    def find_mentions(self, mentions: Sequence[Span | int], text: str) -> list[Span | None]:
        """Finds the wordpieces of each mention; None for an object of the image."""
        return [None if isinstance(mention, int) else self.find(mention, text) for mention in mentions]


class EncodedSentence(NamedTuple):
    """Row of `input_ids` with its pairs.

    Args:
        ids: Wordpieces, markers included.
        spans: [start, end) wordpieces of head and tail of each pair.
        text_phrases: [start, end) wordpieces of the selected phrases of each pair.
    """

    ids: list[int]
    spans: list[tuple[Span, Span]]
    text_phrases: list[list[Span]]


def build_examples(
    text: Sequence[str],
    mentions: Sequence[Sequence[Span | int]],
    pairs: Sequence[Sequence[tuple[int, int]]],
    images: Sequence[dict | None] | None = None,
    labels: Sequence[Sequence[int | Sequence[float]]] | None = None,
    direction_given: Sequence[Sequence[bool]] | None = None,
    selections: Sequence[Sequence[NodeSelection | None]] | None = None,
) -> list[SentenceExample]:
    """Builds an example of each sentence; the arguments are those of `VMHANProcessor`.

    Raises:
        ValueError: The arguments have different numbers of sentences, or of pairs of a sentence.
    """
    columns = (
        _of_pairs("labels", labels, pairs),
        _of_pairs("direction_given", direction_given, pairs),
        _of_pairs("selections", selections, pairs),
    )
    specs = [
        [
            PairSpec(head, tail, label, given, selection or NodeSelection())
            for (head, tail), label, given, selection in zip(*of_sentence, strict=True)
        ]
        for of_sentence in zip(pairs, *columns, strict=True)
    ]
    images = [None] * len(pairs) if images is None else images
    return [SentenceExample(*fields) for fields in zip(text, mentions, specs, images, strict=True)]


def _of_pairs(name: str, values: Sequence[Sequence] | None, pairs: Sequence[Sequence]) -> Sequence[Sequence]:
    """Returns a value for each pair of each sentence, None by default."""
    wanted = [len(of_sentence) for of_sentence in pairs]
    if values is None:
        return [[None] * count for count in wanted]
    counts = [len(of_sentence) for of_sentence in values]
    if counts != wanted:
        raise ValueError(f"{name} has {counts} entries for sentences with {wanted} pairs; give one for each pair.")
    return values


def pair_tensors(pairs: Sequence[PairSpec]) -> dict[str, torch.Tensor]:
    """Builds what is known of pairs beside their nodes, each key (pairs, ...); those that no pair has are left out."""
    columns = {
        "labels": [pair.label for pair in pairs],
        "direction_given": [pair.direction_given for pair in pairs],
        "annotation_style": [pair.annotation_style for pair in pairs],
        "candidate_labels": [pair.candidates for pair in pairs],
        "pair_weight": [pair.weight for pair in pairs],
        "kind_labels": [pair.kinds for pair in pairs],
    }
    return {name: torch.tensor(values) for name, values in columns.items() if any(v is not None for v in values)}


def check_objects(examples: Sequence[SentenceExample]) -> None:
    """Checks that heads are in the text, and that tails which are objects exist.

    Raises:
        ValueError: A head is an object, or a tail is one that the image has not.
    """
    for row, example in enumerate(examples):
        count = len(example.objects)
        for pair, tail in zip(example.pairs, example.tail_objects, strict=True):
            head, of_pair = example.mentions[pair.head], f"the pair {pair.head, pair.tail} of sentence {row}"
            if isinstance(head, int):
                raise ValueError(f"The head of {of_pair} is object {head}; heads are in the text.")
            if tail is not None and not 0 <= tail < count:
                raise ValueError(
                    f"The tail of {of_pair} is object {tail}, but its image has {count} objects, counted from 0."
                )


def select_beside_tails(example: SentenceExample, max_objects: int) -> SentenceExample:
    """Selects the first `max_objects` beside the tail for pairs without a selection of objects.

    Like an entity of the text, a tail that is an object is none of the paper's k.
    """
    objects = range(len(example.objects))
    pairs = []
    for pair, tail in zip(example.pairs, example.tail_objects, strict=True):
        if pair.selection.objects is None:
            beside = [index for index in objects if index != tail][:max_objects]
            pair = replace(pair, selection=pair.selection._replace(objects=beside))
        pairs.append(pair)
    return replace(example, pairs=pairs)


def pad_nested(rows: Sequence[Sequence[T]], fill: P) -> list[list[T | P]]:
    """Pads rows with `fill` to the length of the longest."""
    longest = max(map(len, rows), default=0)
    return [[*row, *[fill] * (longest - len(row))] for row in rows]


def length_mask(rows: Sequence[Sequence]) -> torch.Tensor:
    """Computes where the rows that `pad_nested` pads have items, (rows, longest)."""
    lengths = torch.tensor([len(row) for row in rows])
    return torch.arange(max(map(len, rows), default=0)) < lengths[:, None]


def text_phrase_tensors(phrases: Sequence[Sequence[Span]]) -> dict[str, torch.Tensor]:
    """Builds `text_phrase_spans` (pairs, m, 2) and `text_phrase_mask` (pairs, m); empty where no pair has a phrase."""
    if not any(phrases):
        return {}
    return {"text_phrase_spans": torch.tensor(pad_nested(phrases, (0, 1))), "text_phrase_mask": length_mask(phrases)}


def pair_object_mask(
    pairs: Sequence[PairSpec], pair_image: torch.Tensor, object_mask: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Builds `pair_object_mask` (pairs, objects): the selected objects; empty where nothing is selected.

    Args:
        pairs: The pairs.
        pair_image: Row of each pair's image, -1 for none, (pairs,).
        object_mask: Which objects an image has, (images, objects).

    Raises:
        ValueError: A selection keeps an object that the image has not.
    """
    if all(pair.selection.objects is None for pair in pairs):
        return {}
    counts = object_mask.sum(dim=1).tolist()
    mask = torch.ones(len(pairs), object_mask.shape[1], dtype=torch.bool)
    for row, (pair, image) in enumerate(zip(pairs, pair_image.tolist(), strict=True)):
        selected = pair.selection.objects
        if selected is None:
            continue
        count = counts[image] if image >= 0 else 0
        if not all(0 <= index < count for index in selected):
            raise ValueError(
                f"The selection of pair {row} keeps the objects {list(selected)}, but its image has {count} here, "
                "counted from 0; select among the first max_objects of the image."
            )
        mask[row] = False
        mask[row, list(selected)] = True
    return {"pair_object_mask": mask}


__all__ = ["EntityTargets", "PairSpec", "SentenceExample", "build_examples"]
