"""Limits on the size of a request. Page, endpoint and MCP tool share the defaults; a Python caller may raise them.

extract = pipeline(TASK, model=..., limits=RequestLimits(max_entities=40, max_pairs=2000))
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from math import comb, isqrt
from typing import Any

from .recognized_entities import is_mention, merge_tokens
from .request_values import is_missing, to_plain

#: Most requests in one call of a public endpoint, and most pairs of all of them together. A Python caller may pass any
#: number.
MAX_REQUESTS, MAX_PAIRS_TOGETHER = 32, 480


@dataclass(frozen=True)
class RequestLimits:
    """Limits of one request; None lifts one.

    Args:
        max_text_length: Most characters of the text.
        max_description_length: Most characters of the description, and of the label of an object.
        max_entities: Most entities.
        max_pairs: Most pairs of entities. Each may be scored in both directions.
        max_objects: Most objects that a user may name.
    """

    max_text_length: int | None = 2000
    max_description_length: int | None = 2000
    max_entities: int | None = 16
    max_pairs: int | None = 240
    max_objects: int | None = 100

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(
                    f"{field.name} is {value!r}; a limit is a whole number of at least 1, or None for none."
                )

    def check_text(self, text: str) -> None:
        """Raises ValueError if the text is too long."""
        fix = "shorten it, or keep the sentences around the entities"
        self._check("max_text_length", "text has", len(text), "characters", fix)

    def check_description(self, description: str) -> None:
        """Raises ValueError if the description is too long."""
        self._check("max_description_length", "description has", len(description), "characters", "shorten it")

    def check_label(self, label: str) -> None:
        """Raises ValueError if the label of an object is too long."""
        fix = "give a name of a few words"
        self._check(
            "max_description_length", f"The label {label[:40]!r}... of an object has", len(label), "characters", fix
        )

    def check_entities(self, count: int) -> None:
        """Raises ValueError if there are too many entities."""
        self._check("max_entities", "entities holds", count, "entities", "split the request")

    @property
    def most_found(self) -> int | None:
        """Returns how many entities a model may find, so that every two of them are within both limits; None: any."""
        of_pairs = None if self.max_pairs is None else (1 + isqrt(1 + 8 * self.max_pairs)) // 2
        return min((limit for limit in (self.max_entities, of_pairs) if limit is not None), default=None)

    def check_pairs(self, count: int) -> None:
        """Raises ValueError if there are too many pairs."""
        self._check("max_pairs", "pairs holds", count, "pairs", "split the request, or name fewer pairs")

    def check_objects(self, count: int) -> None:
        """Raises ValueError if there are too many objects."""
        self._check("max_objects", "objects holds", count, "objects", "keep those that matter")

    def _check(self, name: str, subject: str, value: int, unit: str, fix: str) -> None:
        limit = getattr(self, name)
        if limit is not None and value > limit:
            raise ValueError(
                f"{subject} {value:,} {unit}, up to {limit:,} are read; {fix}. In Python, raise the limit with "
                f"limits=RequestLimits({name}=...)."
            )


DEFAULT_LIMITS = RequestLimits()
NO_LIMITS = RequestLimits(*[None] * len(fields(RequestLimits)))


def check_call(requests: list, pairs: Any = None) -> None:
    """Checks the number of requests and pairs in one call of an endpoint, before any image is read.

    Args:
        requests: Requests of the call, unchecked.
        pairs: Pairs of the call, for each request that has none of its own.

    Raises:
        ValueError: There are too many requests, or too many pairs in all of them together.
    """
    if len(requests) > MAX_REQUESTS:
        raise ValueError(
            f'"inputs" holds {len(requests):,} requests, up to {MAX_REQUESTS} are answered; send several calls.'
        )
    total = sum(_count_pairs(request, pairs) for request in requests)
    if total > MAX_PAIRS_TOGETHER:
        raise ValueError(
            f'The {len(requests)} requests of "inputs" have {total:,} pairs together, up to '
            f"{MAX_PAIRS_TOGETHER} are answered; send several calls, or name fewer pairs. A request without entities "
            "counts as if the most were found."
        )


def _count_pairs(request: Any, pairs: Any) -> int:
    """Counts the pairs of a request, up to its own limit: one that has more is rejected by itself.

    A request without entities counts as many as a model may find, since it is not read yet.
    """
    if not isinstance(request, Mapping):
        return 0
    own = request.get("pairs")
    pairs = to_plain(pairs if is_missing(own) else own)
    entities = to_plain(request.get("entities"))
    if isinstance(pairs, list | tuple):
        count = len(pairs)
    elif is_missing(entities):
        count = comb(DEFAULT_LIMITS.most_found or 0, 2)
    elif isinstance(entities, list | tuple):
        count = _count_every_two(entities)
    else:
        count = 0
    return count if DEFAULT_LIMITS.max_pairs is None else min(count, DEFAULT_LIMITS.max_pairs)


def _count_every_two(entities: list | tuple) -> int:
    """Counts the pairs of two entities; two objects of the image are none."""
    try:
        entities = merge_tokens(entities)
    except (TypeError, ValueError):
        return 0  # the request is rejected later
    objects = sum(isinstance(entity, dict) and not is_mention(entity) for entity in entities)
    return comb(len(entities), 2) - comb(objects, 2)


def read_limits(limits: "RequestLimits | Mapping | None") -> RequestLimits:
    """Reads the limits of a caller: `RequestLimits`, or a dict of those that differ from the default; None lifts all.

    Raises:
        ValueError: It is something else, or a limit is unknown.
    """
    if limits is None:
        return NO_LIMITS
    # by its fields, not its class: code of a model from the Hub is another module than the installed package
    if is_dataclass(limits) and not isinstance(limits, type):
        limits = asdict(limits)
    names = [field.name for field in fields(RequestLimits)]
    if not isinstance(limits, Mapping) or set(limits) - set(names):
        raise ValueError(f"limits is {limits!r}; give RequestLimits, a dict out of {names}, or None for no limits.")
    return RequestLimits(**limits)


__all__ = [
    "DEFAULT_LIMITS",
    "MAX_PAIRS_TOGETHER",
    "MAX_REQUESTS",
    "NO_LIMITS",
    "RequestLimits",
    "check_call",
    "read_limits",
]
