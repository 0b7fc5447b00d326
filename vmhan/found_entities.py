"""Entities that the model finds in the text of a request whose user gave none."""

from collections.abc import Sequence
from itertools import combinations

from .extraction_request import ExtractionRequest
from .mention_finder import FoundMention
from .request_entities import RequestEntity
from .request_values import short_text


def add_found_entities(request: ExtractionRequest, found: Sequence[FoundMention]) -> None:
    """Adds the entities that the model found to their request, and every two of them as its pairs.

    Of more than the limits of the request allow, those with the highest scores are kept, and a warning says so. Fewer
    than two make no pair, and a warning says that.

    Args:
        request: A request whose entities are None.
        found: What `find_mentions` found in its text.
    """
    kept = sorted(found, key=lambda mention: -mention.score)[: request.limits.most_found]
    if len(kept) < len(found):
        request.warnings.append(
            f"The model finds {len(found)} entities in the text; the {len(kept)} with the highest scores are kept. In "
            "Python, keep more with limits=RequestLimits(max_entities=..., max_pairs=...)."
        )
    mentions = sorted(kept, key=lambda mention: mention.start)
    request.entities = [RequestEntity((start, end), kind, score) for start, end, kind, score in mentions]
    request.pairs = list(combinations(range(len(mentions)), 2))
    if len(mentions) < 2:
        request.warnings.append(_too_few_warning(request))


def _too_few_warning(request: ExtractionRequest) -> str:
    texts = [short_text(request.entity_text(index) or "") for index in range(len(request.mentions))]
    found = f"one entity in the text, {texts[0]}" if texts else "no entities in the text"
    return f'The model finds {found}; a relation needs two. Name them in "entities" if there are any.'


__all__ = ["add_found_entities"]
