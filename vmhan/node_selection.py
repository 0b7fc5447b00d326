"""Node selection: the phrases and objects that join head, tail and image as nodes of a pair's hypergraph.

A selector takes requests and returns, for each, m phrases of the sentence, n phrases about the image and k of its
objects. `WordSelector` needs no LLM; `LLMSelector` (llm/selector.py) uses one, as the paper does. hypergraph.py joins
the nodes to hyperedges: text phrases to the global and the textual one, visual phrases to those that objects join.

A request has no field for the relation, so no selection can depend on it. Nor does one depend on which entity is
called head: annotators write related pairs in the direction of the relation, and that order would give it away.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from PIL import Image
from torch import nn

from .object_detection import DetectedObject
from .object_nouns import FUNCTION_WORDS, object_names

Span = tuple[int, int]
Encoder = Callable[[list[str]], torch.Tensor]
#: Settings without an LLM: no selection, and selection by `WordSelector`.
NONE, WORDS = "none", "words"


class SelectionRequest(NamedTuple):
    """A pair whose nodes are selected, and all inputs of a selector.

    Args:
        text: The sentence.
        head, tail: [start, end) characters of the two entities.
        mentions: [start, end) characters of all entities of the sentence.
        description: Text about the image, or None.
        image: The image, or None.
        objects: Objects of the image, in the order of the processor's `"objects"`. A label may be empty and a box
            None.
    """

    text: str
    head: Span
    tail: Span
    mentions: Sequence[Span] = ()
    description: str | None = None
    image: Image.Image | None = None
    objects: Sequence[DetectedObject] = ()

    @property
    def entities(self) -> tuple[str, str]:
        """The text of the two entities, in the order of the sentence."""
        first, second = sorted((self.head, self.tail))
        return self.text[slice(*first)], self.text[slice(*second)]


class NodeSelection(NamedTuple):
    """The nodes selected for a pair.

    Args:
        text_phrases: [start, end) characters of the sentence, the most relevant first.
        visual_phrases: Phrases about the image, the most relevant first.
        objects: Indices of the selected objects, the most relevant first. None selects all.
    """

    text_phrases: Sequence[Span] = ()
    visual_phrases: Sequence[str] = ()
    objects: Sequence[int] | None = None


class NodeSelector(Protocol):
    """Interface of node selectors."""

    def select(self, requests: Sequence[SelectionRequest]) -> list[NodeSelection]:
        """Selects the nodes of each request's pair."""
        ...


class WordSelector:
    """Selects nodes without an LLM; `LLMSelector` falls back to it.

    Text phrases are the other mentions of the sentence, then its content words, the nearest to the pair first. Visual
    phrases are the object names of the description that are no label of a selected object. Objects are ranked by
    detector score, weighted by the similarity of name and sentence.

    Args:
        num_text_phrases, num_visual_phrases, num_objects: The paper's m, n and k, at most so many of each.
        encode: Encodes texts as vectors (texts, width), such as `MeanPooledEncoder`. Without it objects are ranked by
            score alone.
    """

    def __init__(
        self,
        num_text_phrases: int = 3,
        num_visual_phrases: int = 3,
        num_objects: int = 3,
        encode: Encoder | None = None,
    ):
        check_counts(num_text_phrases, num_visual_phrases, num_objects)
        self.num_text_phrases = num_text_phrases
        self.num_visual_phrases = num_visual_phrases
        self.num_objects = num_objects
        self.encode = encode

    def select(self, requests: Sequence[SelectionRequest]) -> list[NodeSelection]:
        """Selects the nodes of each request's pair."""
        similarities = self._similarities(requests)
        return [self._select(request, of_request) for request, of_request in zip(requests, similarities, strict=True)]

    def _select(self, request: SelectionRequest, similarities: list[float] | None) -> NodeSelection:
        kept = rank_objects(request.objects, similarities)[: self.num_objects]
        return NodeSelection(
            text_phrases(request, self.num_text_phrases),
            visual_phrases(request, self.num_visual_phrases, [request.objects[index].label for index in kept]),
            kept,
        )

    def _similarities(self, requests: Sequence[SelectionRequest]) -> list[list[float] | None]:
        """Computes the cosine of each object's name and the sentence; None where all objects are selected anyway.

        An object without a name has the cosine 0.
        """
        has_choice = [len(request.objects) > self.num_objects for request in requests]
        if self.encode is None or not any(has_choice):
            return [None] * len(requests)
        texts: dict[str, None] = {}  # distinct, in order
        for request, chosen in zip(requests, has_choice, strict=True):
            if chosen:
                texts[request.text] = None
                texts |= {item.label: None for item in request.objects if item.label}
        normalized = nn.functional.normalize(self.encode(list(texts)).float(), dim=-1)  # (texts, width)
        vectors = dict(zip(texts, normalized, strict=True))
        return [
            [float(vectors[item.label] @ vectors[request.text]) if item.label else 0.0 for item in request.objects]
            if chosen
            else None
            for request, chosen in zip(requests, has_choice, strict=True)
        ]


def check_counts(num_text_phrases: int, num_visual_phrases: int, num_objects: int) -> None:
    """Raises ValueError for a negative number of nodes."""
    counts = {
        "num_text_phrases": num_text_phrases,
        "num_visual_phrases": num_visual_phrases,
        "num_objects": num_objects,
    }
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"{name} is {count}; select 0 or more.")


# Tweets are full of addresses, names of retweeted users and half words ("don 't", "I 'm"), which are no content.
_ADDRESSES = re.compile(r"(?:https?:|www\.|@)\S+", re.IGNORECASE)
_WORDS = re.compile(r"\w+(?:[-'’]\w+)*")
_NO_CONTENT = FUNCTION_WORDS | {
    *("rt", "via", "amp", "lt", "gt", "http", "https", "st", "nd", "rd", "th", "re", "ve", "ll", "here", "now"),
    *("don", "didn", "doesn", "isn", "wasn", "aren", "don't", "didn't", "doesn't", "isn't", "wasn't", "aren't"),
    *("can't", "it's", "i'm", "that's", "my", "mine", "your", "yours"),
}


def text_phrases(request: SelectionRequest, count: int) -> list[Span]:
    """Selects the other mentions of a sentence, then its content words, each the nearest to the pair first."""
    pair = (request.head, request.tail)

    def distance(span: Span) -> tuple[int, Span]:
        return min(max(span[0] - end, start - span[1]) for start, end in pair), span

    mentions = sorted({(start, end) for start, end in request.mentions}, key=distance)
    words = sorted(_content_words(request.text), key=distance)
    phrases: list[Span] = []
    spellings: set[str] = set()
    for span in [*mentions, *words]:
        spelling = request.text[slice(*span)].casefold()
        if spelling not in spellings and not any(overlap(span, other) for other in (*pair, *phrases)):
            phrases.append(span)
            spellings.add(spelling)
    return phrases[:count]


def _content_words(text: str) -> list[Span]:
    addresses = [match.span() for match in _ADDRESSES.finditer(text)]
    return [
        match.span()
        for match in _WORDS.finditer(text)
        if len(match[0]) > 1
        and not match[0].isdecimal()
        and match[0].replace("’", "'").casefold() not in _NO_CONTENT
        and not any(overlap(match.span(), address) for address in addresses)
    ]


def overlap(first: Span, second: Span) -> bool:
    """Returns whether two [start, end) spans share a character."""
    return first[0] < second[1] and second[0] < first[1]


def visual_phrases(request: SelectionRequest, count: int, labels: Sequence[str] = ()) -> list[str]:
    """Selects the object names of the description that are not among `labels`."""
    known = {label.casefold() for label in labels}
    names = object_names(request.description, count + len(known))
    return [name for name in names if name.casefold() not in known][:count]


def rank_objects(objects: Sequence[DetectedObject], similarities: Sequence[float] | None = None) -> list[int]:
    """Ranks objects by falling score, weighted by similarities in -1 to 1; ties keep their order. Returns indices."""
    weights = [1.0] * len(objects) if similarities is None else [(1 + cosine) / 2 for cosine in similarities]
    scores = [round(item.score * weight, 4) for item, weight in zip(objects, weights, strict=True)]
    return sorted(range(len(objects)), key=lambda index: -scores[index])


__all__ = ["NodeSelection", "NodeSelector", "SelectionRequest", "WordSelector"]
