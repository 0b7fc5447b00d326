"""Streams of requests, answered in batches as they come; the error of one request leaves the others alone."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from transformers.utils import logging

from .request_values import UnreadableRow, request_id, short_value

logger = logging.get_logger(__name__)

Request = TypeVar("Request")
Answer = TypeVar("Answer")

#: Treatments of a request that has an error.
ON_ERROR = ("raise", "skip", "return")


@dataclass
class Outcome(Generic[Request, Answer]):
    """State of a request: checked, answered, or failed.

    Args:
        index: Index of the request among several, or None for one that came alone.
        id: Its `"id"`, or None.
        request: The checked request.
        answer: Its answer.
        error: Why it has none.
    """

    index: int | None
    id: Any = None
    request: Request | None = None
    answer: Answer | None = None
    error: Exception | None = None

    @property
    def name(self) -> str:
        """Name of the request in an error message; empty if it has neither index nor id."""
        of_id = "" if self.id is None else f"the id {short_value(self.id)}"
        if self.index is None:
            return of_id and f"the request with {of_id}"
        return f"request {self.index}, counted from 0" + (of_id and f", with {of_id}")


class RequestStream(Generic[Request, Answer]):
    """Answers requests.

    Args:
        read: Checks one request.
        answer: Answers checked requests, in one pass of the model.
        on_error: One of `ON_ERROR`.
    """

    def __init__(
        self,
        read: Callable[[Any], Request],
        answer: Callable[[list[Request]], Sequence[Answer]],
        on_error: str = "raise",
    ):
        self._read, self._answer, self.on_error = read, answer, on_error
        #: Number of requests that were skipped so far.
        self.skipped = 0

    def answer_one(self, inputs: Any) -> Answer | dict | None:
        """Answers a request that came alone; None if it is skipped."""
        return next(self._answer_batch([(None, inputs)]), None)

    def answer_all(self, inputs: Iterable, batch_size: int) -> Iterator[Answer | dict]:
        """Answers several requests, as soon as there are `batch_size` of them."""
        numbered, failure = enumerate(inputs), None
        while failure is None:
            batch, failure = _read_batch(numbered, batch_size)
            yield from self._answer_batch(batch)
            if not batch:
                break
        if self.skipped:
            logger.warning(f"{self.skipped} requests were skipped.")
        if failure is not None:
            raise failure

    def _answer_batch(self, batch: Sequence[tuple[int | None, Any]]) -> Iterator[Answer | dict]:
        outcomes = []
        for index, inputs in batch:
            outcomes.append(self._check(index, inputs))
            if outcomes[-1].error and self.on_error == "raise":
                break  # the caller never gets the answers behind it
        self._answer_together(outcomes)
        for outcome in outcomes:
            if not outcome.answer and not outcome.error:
                self._answer_alone(outcome)
            answer = self._finish(outcome)
            if answer is not None:
                yield answer

    def _check(self, index: int | None, inputs: Any) -> Outcome[Request, Answer]:
        outcome: Outcome[Request, Answer] = Outcome(index)
        if isinstance(inputs, UnreadableRow):
            outcome.error = inputs.error
            return outcome
        try:
            outcome.id = request_id(inputs)
            outcome.request = self._read(inputs)
        except Exception as error:  # whatever it is, it is this request's
            outcome.error = error
        return outcome

    def _answer_together(self, outcomes: Sequence[Outcome[Request, Answer]]) -> None:
        """Fills in the answers of one pass of the model; if that fails, each request is answered alone later."""
        checked = [(outcome, outcome.request) for outcome in outcomes if outcome.request is not None]
        if len(checked) < 2:
            return
        try:
            answers = self._answer([request for _, request in checked])
        except Exception as error:
            logger.warning(f"{len(checked)} requests fail together, so each is answered alone: {error}")
            return
        for (outcome, _), answer in zip(checked, answers, strict=True):
            outcome.answer = answer

    def _answer_alone(self, outcome: Outcome[Request, Answer]) -> None:
        if outcome.request is None:
            return
        try:
            [outcome.answer] = self._answer([outcome.request])
        except Exception as error:
            outcome.error = error

    def _finish(self, outcome: Outcome[Request, Answer]) -> Answer | dict | None:
        """Returns the answer, or treats the error as `on_error` says; None if the request is skipped."""
        error = outcome.error
        if error is None:
            return outcome.answer
        if self.on_error == "raise":
            if outcome.name:
                error.add_note(f"It is {outcome.name}.")
            raise error
        message = str(error) if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {error}"
        if self.on_error == "return":
            names = {"index": outcome.index, "id": outcome.id}
            return {"error": message, **{name: value for name, value in names.items() if value is not None}}
        self.skipped += 1
        logger.warning(f"Skipped {outcome.name or 'the request'}: {message}")
        return None


def _read_batch(numbered: Iterator[tuple[int, Any]], size: int) -> tuple[list[tuple[int, Any]], Exception | None]:
    """Reads the next requests, up to `size`, and the error that ended their source, if any."""
    batch = []
    try:
        batch.extend(islice(numbered, size))
    except Exception as error:  # raised once the requests before it are answered
        return batch, error
    return batch, None


def read_batch_size(size: Any) -> int:
    """Reads the batch size of a caller; 1 for None.

    Raises:
        ValueError: It is no whole number of at least 1.
    """
    try:
        count = 1 if size is None else operator.index(size)
    except TypeError:
        count = 0
    if count < 1 or isinstance(size, bool):
        raise ValueError(f"batch_size is {size!r}; it is how many requests go through the model together, at least 1.")
    return count


__all__ = ["ON_ERROR", "RequestStream", "read_batch_size"]
