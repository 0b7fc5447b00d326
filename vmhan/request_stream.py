"""Several requests, answered in batches as they come; what is wrong with one of them does not touch the others."""

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from transformers.utils import logging

from .extraction_request import ExtractionRequest
from .request_values import UnreadableRow, request_id, short_value

logger = logging.get_logger(__name__)

#: What becomes of a request that cannot be answered.
ON_ERROR = ("raise", "skip", "return")


@dataclass
class Outcome:
    """What became of a request.

    Args:
        index: Of the request among several, or None for one that came alone.
        id: What its user calls it, or None.
        request: The request, once it was checked.
        answer: Its answer, once there is one.
        error: What is wrong with it.
    """

    index: int | None
    id: Any = None
    request: ExtractionRequest | None = None
    answer: dict | None = None
    error: Exception | None = None

    @property
    def name(self) -> str:
        """The request for an error message; empty if it has neither index nor id."""
        of_id = "" if self.id is None else f"the id {short_value(self.id)}"
        if self.index is None:
            return of_id and f"the request with {of_id}"
        return f"request {self.index}, counted from 0" + (of_id and f", with {of_id}")


class RequestStream:
    """Answers requests.

    Args:
        read: Checks one.
        ask: Answers checked ones, in one pass of the model.
        on_error: One of `ON_ERROR`.
    """

    def __init__(
        self,
        read: Callable[[Any], ExtractionRequest],
        ask: Callable[[list[ExtractionRequest]], list[dict]],
        on_error: str = "raise",
    ):
        self._read, self._ask, self.on_error = read, ask, on_error
        #: How many requests were left out so far, with `"skip"`.
        self.skipped = 0

    def answer_one(self, inputs: Any) -> dict | None:
        """The answer to a request that came alone; None if it is skipped."""
        return next(self._answer_batch([(None, inputs)]), None)

    def answer_all(self, inputs: Iterable, batch_size: int) -> Iterator[dict]:
        """The answers to several, as soon as there are `batch_size` of them."""
        numbered, batch, failure = enumerate(inputs), [], None
        while failure is None:
            batch, failure = _read_batch(numbered, batch_size)
            yield from self._answer_batch(batch)
            if not batch:
                break
        if self.skipped:
            logger.warning(f"{self.skipped} requests were skipped.")
        if failure is not None:
            raise failure

    def _answer_batch(self, batch: list[tuple[int | None, Any]]) -> Iterator[dict]:
        outcomes = []
        for index, inputs in batch:
            outcomes.append(self._check(index, inputs))
            if outcomes[-1].error and self.on_error == "raise":
                break  # nobody will get the answers behind it
        self._ask_together([outcome for outcome in outcomes if not outcome.error])
        for outcome in outcomes:
            if not outcome.answer and not outcome.error:
                self._ask_alone(outcome)
            answer = self._finish(outcome)
            if answer is not None:
                yield answer

    def _check(self, index: int | None, inputs: Any) -> Outcome:
        outcome = Outcome(index)
        if isinstance(inputs, UnreadableRow):
            outcome.error = inputs.error
            return outcome
        try:
            outcome.id = request_id(inputs)
            outcome.request = self._read(inputs)
        except Exception as error:  # whatever it is, it is this request's
            outcome.error = error
        return outcome

    def _ask_together(self, outcomes: list[Outcome]) -> None:
        """Fills in the answers of one pass of the model. If that fails there are none: each is to be asked alone."""
        if len(outcomes) < 2:
            return
        try:
            answers = self._ask([outcome.request for outcome in outcomes])
        except Exception as error:
            logger.warning(f"{len(outcomes)} requests cannot be answered together, so each is asked alone: {error}")
            return
        for outcome, answer in zip(outcomes, answers, strict=True):
            outcome.answer = answer

    def _ask_alone(self, outcome: Outcome) -> None:
        try:
            [outcome.answer] = self._ask([outcome.request])
        except Exception as error:
            outcome.error = error

    def _finish(self, outcome: Outcome) -> dict | None:
        """The answer; or what `on_error` makes of an error, None if it is skipped."""
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


def _read_batch(numbered: Iterator, size: int) -> tuple[list, Exception | None]:
    """The next requests, up to `size`, and the error with which their source broke off, if it did."""
    batch = []
    try:
        batch.extend(islice(numbered, size))
    except Exception as error:  # it goes on once the requests before it are answered
        return batch, error
    return batch, None


def read_batch_size(size: Any) -> int:
    """The batch size that a caller names; 1 for None.

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
