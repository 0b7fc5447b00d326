"""Answers to requests: their types, for annotations, and how they are built from scored pairs."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NotRequired, TypedDict, cast

import torch

from .configuration_vmhan import VMHANConfig
from .extraction_request import ExtractionRequest
from .object_detection import ImageObject
from .pair_rows import AttendedObject, PairRow
from .temperature import no_relation_index


class AnswerEntity(TypedDict):
    """Head or tail of a pair.

    Attributes:
        text: Its text; of an object of the image its label, or None.
        start, end: [start, end) characters of the sentence; None for an object of the image.
        box: [left, top, right, bottom] in pixels of an object of the image.
        object: Index of an object of the image into the objects of the answer.
    """

    text: str | None
    start: int | None
    end: int | None
    box: NotRequired[list[float] | None]
    object: NotRequired[int]


class AnswerMention(TypedDict):
    """Entity in the text, as the request gave it or the model found it.

    Attributes:
        text: Its text.
        start, end: [start, end) characters of the sentence.
        kind: One of the model's `mention_kinds`, such as "person"; of a given one that of its recognizer, or None.
        score: Confidence in the entity, 0 to 1; 1 for one that was given without.
    """

    text: str
    start: int
    end: int
    kind: str | None
    score: float


class AnswerPair(TypedDict):
    """Relation of a pair of entities.

    Attributes:
        head, tail: The entities.
        relation: The likeliest label.
        score: Its calibrated probability.
        scores: Calibrated probability of each label; they sum to one.
        entropy: Entropy of the scores in nats.
        variance: Mean variance of the Gaussians of head and tail.
        objects: Visual nodes of the pair, by falling attention.
        hypergraph: As `pair_hypergraph` builds it, where it was requested.
    """

    head: AnswerEntity
    tail: AnswerEntity
    relation: str
    score: float
    scores: dict[str, float]
    entropy: float
    variance: float
    objects: list[AttendedObject]
    hypergraph: NotRequired[dict[str, Any]]


class ExtractionAnswer(TypedDict):
    """Answer to a request.

    Attributes:
        id: The request's `"id"`, if it has one.
        pairs: Its pairs, in the order of the request.
        entities: Its entities, given or found: those of the text in its order, then objects of the image.
        objects: Objects of the image: the user's, else the detected ones, else the nouns of the description.
        description: Description of the image: the user's, else the describer's, else composed of detected objects.
        warnings: Sentences about the request.
    """

    id: NotRequired[Any]
    pairs: list[AnswerPair]
    entities: list[AnswerMention | AnswerEntity]
    objects: list[ImageObject]
    description: str | None
    warnings: list[str]


class FailedRequest(TypedDict):
    """Error of a request, in place of its answer, with `on_error="return"`.

    Attributes:
        error: What is wrong and what to do.
        index: Index of the request among several.
        id: The request's `"id"`, if it has one.
    """

    error: str
    index: NotRequired[int]
    id: NotRequired[Any]


def build_answer(request: ExtractionRequest, rows: Sequence[PairRow], config: VMHANConfig) -> ExtractionAnswer:
    """Builds the answer to a request from its rows, which have scores.

    Raises:
        ValueError: Both directions of a pair were scored by a model without a label for pairs without a relation.
    """
    directions = [list(of_pair) for _, of_pair in groupby(rows, key=lambda row: row.number)]
    answer: ExtractionAnswer = {
        "pairs": [_build_pair(_choose_direction(of_pair, config), config) for of_pair in directions],
        "entities": _list_entities(request),
        "objects": request.visible_objects,
        "description": request.description,
        "warnings": request.warnings,
    }
    return answer if request.id is None else {"id": request.id, **answer}


def _choose_direction(rows: Sequence[PairRow], config: VMHANConfig) -> PairRow:
    """Chooses the direction of a pair in which any relation is likelier.

    The higher score would not do: the model is sure of "None" for a true relation in the wrong direction.
    """
    if len(rows) == 1:
        return rows[0]
    if no_relation_index(config) is None:
        raise ValueError(
            f"The model has no label {config.no_relation!r} to compare directions by; "
            'set config.no_relation, or use direction="given".'
        )
    return min(rows, key=lambda row: row.scores.no_relation)


def _build_pair(row: PairRow, config: VMHANConfig) -> AnswerPair:
    head, tail = row.pair
    labels = cast(dict[int, str], config.id2label)
    probabilities = row.scores.probabilities  # (labels,)
    best = int(probabilities.argmax())
    pair: AnswerPair = {
        "head": _build_entity(row.request, head),
        "tail": _build_entity(row.request, tail),
        "relation": labels[best],
        "score": float(probabilities[best]),
        "scores": {labels[index]: float(score) for index, score in enumerate(probabilities)},
        "entropy": float(torch.special.entr(probabilities).sum()),
        "variance": row.scores.variance,
        "objects": row.scores.objects,
    }
    if row.scores.hypergraph:
        pair["hypergraph"] = row.scores.hypergraph
    return pair


def _list_entities(request: ExtractionRequest) -> list[AnswerMention | AnswerEntity]:
    """Lists the entities of a request: those of the text in its order, then objects of the image."""
    mentions: list[AnswerMention] = []
    objects: list[AnswerEntity] = []
    for index, entity in enumerate(request.entities or ()):
        if isinstance(entity.mention, int):
            objects.append(_build_entity(request, index))
        else:
            start, end = entity.mention
            text, kind, score = request.text[start:end], entity.kind, entity.score
            mentions.append({"text": text, "start": start, "end": end, "kind": kind, "score": score})
    return [*sorted(mentions, key=lambda mention: (mention["start"], mention["end"])), *objects]


def _build_entity(request: ExtractionRequest, index: int) -> AnswerEntity:
    mention, text = request.mentions[index], request.entity_text(index)
    if isinstance(mention, int):
        box = request.visible_objects[mention]["box"]
        return {"text": text, "start": None, "end": None, "box": box, "object": mention}
    start, end = mention
    return {"text": text, "start": start, "end": end}


__all__ = ["AnswerEntity", "AnswerMention", "AnswerPair", "ExtractionAnswer", "FailedRequest", "build_answer"]
