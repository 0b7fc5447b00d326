"""Node selection: which phrases and objects join head, tail and image as nodes of a pair's hypergraph.

A selector takes requests and returns, for each, m phrases of the sentence, n phrases about the image and k of its
objects. `WordSelector` needs no LLM; `LLMSelector` (llm/selector.py) asks one, as the paper does. How the nodes join
hyperedges stands in hypergraph.py: text phrases join the global and the textual one, visual phrases what objects join.

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
#: Settings that name no LLM: no selection at all, and selection by words.
NONE, WORDS = "none", "words"


class SelectionRequest(NamedTuple):
    """A pair that needs nodes, and all that a selector may know of it.

    Args:
        text: The sentence.
        head, tail: [start, end) characters of the two entities.
        mentions: [start, end) characters of all entities of the sentence.
        description: Words about the image, or None.
        image: The image, or None.
        objects: What is known to be in the image, in the order of the processor's `"objects"`. A label may be empty
            and a box None.
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
        """The two entities as the sentence spells them, in its order."""
        first, second = sorted((self.head, self.tail))
        return self.text[slice(*first)], self.text[slice(*second)]


class NodeSelection(NamedTuple):
    """The nodes selected for a pair.

    Args:
        text_phrases: [start, end) characters of the sentence, the most relevant first.
        visual_phrases: Words about the image, the most relevant first.
        objects: Indices of the objects that stay, the most relevant first. None keeps all.
    """

    text_phrases: Sequence[Span] = ()
    visual_phrases: Sequence[str] = ()
    objects: Sequence[int] | None = None


class NodeSelector(Protocol):
    """Whatever selects nodes."""

    def select(self, requests: Sequence[SelectionRequest]) -> list[NodeSelection]:
        """The nodes of each request's pair."""
        ...


class WordSelector:
    """Selects without an LLM, and is what `LLMSelector` falls back to.

    Text phrases are the other mentions of the sentence, then its content words, the nearest to the pair first. Visual
    phrases are the object names of the description that no kept object carries. Objects are ranked by detector score,
    weighted by how similar name and sentence are.

    Args:
        num_text_phrases, num_visual_phrases, num_objects: The paper's m, n and k, at most so many of each.
        encode: Texts to vectors (texts, width), such as `MeanPooledEncoder`. Without it the score alone ranks objects.
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
        """Cosine of each object's name and the sentence; 0 without a name, None where no choice depends on it."""
        chosen_from = [len(request.objects) > self.num_objects for request in requests]
        if self.encode is None or not any(chosen_from):
            return [None] * len(requests)
        texts = [
            words
            for request, asked in zip(requests, chosen_from, strict=True)
            if asked
            for words in (request.text, *(item.label for item in request.objects if item.label))
        ]
        distinct = list(dict.fromkeys(texts))
        vectors = dict(zip(distinct, nn.functional.normalize(self.encode(distinct).float(), dim=-1), strict=True))
        return [
            [float(vectors[item.label] @ vectors[request.text]) if item.label else 0.0 for item in request.objects]
            if asked
            else None
            for request, asked in zip(requests, chosen_from, strict=True)
        ]


def check_counts(num_text_phrases: int, num_visual_phrases: int, num_objects: int):
    """Refuses negative counts of nodes."""
    counts = {
        "num_text_phrases": num_text_phrases,
        "num_visual_phrases": num_visual_phrases,
        "num_objects": num_objects,
    }
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"{name} is {count}; select 0 or more.")


# A tweet is full of what is no content: addresses, who is retweeted, half words ("don 't", "I 'm").
_ADDRESSES = re.compile(r"(?:https?:|www\.|@)\S+", re.IGNORECASE)
_WORDS = re.compile(r"\w+(?:[-'’]\w+)*")
_NO_CONTENT = FUNCTION_WORDS | {
    *("rt", "via", "amp", "lt", "gt", "http", "https", "st", "nd", "rd", "th", "re", "ve", "ll", "here", "now"),
    *("don", "didn", "doesn", "isn", "wasn", "aren", "don't", "didn't", "doesn't", "isn't", "wasn't", "aren't"),
    *("can't", "it's", "i'm", "that's", "my", "mine", "your", "yours"),
}


def text_phrases(request: SelectionRequest, count: int) -> list[Span]:
    """The other mentions of a sentence, then its content words, each the nearest to the pair first."""
    pair = (request.head, request.tail)

    def nearness(span: Span) -> tuple[int, Span]:
        return min(max(span[0] - end, start - span[1]) for start, end in pair), span

    mentions = sorted({tuple(span) for span in request.mentions}, key=nearness)
    words = sorted(_content_words(request.text), key=nearness)
    phrases, spelt = [], set()
    for span in [*mentions, *words]:
        spelling = request.text[slice(*span)].casefold()
        if spelling not in spelt and not any(overlap(span, other) for other in (*pair, *phrases)):
            phrases.append(span)
            spelt.add(spelling)
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
    """Whether two [start, end) spans share a character."""
    return first[0] < second[1] and second[0] < first[1]


def visual_phrases(request: SelectionRequest, count: int, labels: Sequence[str] = ()) -> list[str]:
    """The object names of the description that are not among `labels`."""
    known = {label.casefold() for label in labels}
    names = object_names(request.description, count + len(known))
    return [name for name in names if name.casefold() not in known][:count]


def rank_objects(objects: Sequence[DetectedObject], similarities: Sequence[float] | None = None) -> list[int]:
    """Indices of the objects, by falling score, weighted by similarities in -1 to 1; ties keep their order."""
    weights = [1.0] * len(objects) if similarities is None else [(1 + cosine) / 2 for cosine in similarities]
    scores = [round(item.score * weight, 4) for item, weight in zip(objects, weights, strict=True)]
    return sorted(range(len(objects)), key=lambda index: -scores[index])


__all__ = ["NodeSelection", "NodeSelector", "SelectionRequest", "WordSelector"]
