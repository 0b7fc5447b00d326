"""Values, fields and streams of requests as plain Python, whatever they came as.

Values may be numpy's, pandas' or torch's; a request may be a row of a data set; several requests may be a list, a
DataFrame, a data set or any iterable.
"""

import operator
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from torch.utils.data import IterableDataset

#: Fields of a request.
FIELDS = ("text", "entities", "image", "description", "objects", "pairs", "annotation_style", "id")
_LONGEST_QUOTE = 80  # characters of a value in a message
_SCORE_ABOVE = 1e-6  # how far rounding may carry a score above 1


@dataclass(frozen=True)
class UnreadableRow:
    """A request that its source failed to give.

    Args:
        error: Error of the source.
    """

    error: Exception


def read_requests(inputs: Any) -> tuple[Iterable | None, bool]:
    """Reads the inputs of a call as requests, and whether they are a stream, which is answered as it is read.

    Lists, tuples and DataFrames are no streams; iterators, data sets and all other iterables are. A single request, or
    an invalid value, gives None.
    """
    if is_request(inputs) or isinstance(inputs, str | bytes | bytearray):
        return None, False
    if hasattr(inputs, "iterrows"):
        return inputs.to_dict("records"), False
    if isinstance(inputs, list | tuple):
        return inputs, False
    # torch's IterableDataset inherits a __getitem__ that only fails
    if hasattr(inputs, "__getitem__") and hasattr(inputs, "__len__") and not isinstance(inputs, IterableDataset):
        return _read_rows(inputs, len(inputs)), True  # a data set; not every one ends by an IndexError
    if isinstance(inputs, Iterable):
        return inputs, True
    return None, False


def _read_rows(source: Any, count: int) -> Iterator[Any]:
    """Reads the rows of a data set by index; one that fails, such as a broken image, leaves the others alone."""
    for index in range(count):
        try:
            row = source[index]
        except Exception as error:  # whatever it is, it is this row's
            wrong = ValueError(
                f"Row {index} cannot be read ({type(error).__name__}: {error!s:.400}); mend it, or leave it out."
            )
            wrong.__cause__ = error
            row = UnreadableRow(wrong)
        yield row


def is_request(inputs: Any) -> bool:
    """Returns whether this is one request: a dict, a row of a data set, or a row (Series) of a pandas DataFrame."""
    return isinstance(inputs, Mapping) or (hasattr(inputs, "to_dict") and hasattr(inputs, "to_frame"))


def request_id(inputs: Any) -> Any:
    """Reads the `"id"` of what may be a request, or None."""
    value = inputs.get("id") if is_request(inputs) else None
    return None if is_missing(value) else to_plain(value)


def read_fields(inputs: Any) -> dict[str, Any]:
    """Converts a request to a dict of plain fields; missing ones (None, NaN, pandas' NA) are left out.

    The image stays as it is.

    Raises:
        ValueError: It is no request, or has an unknown field.
    """
    if not is_request(inputs):
        raise ValueError(f'A request is a dict with "text" and "entities", not {type(inputs).__name__}.')
    unknown = sorted(map(str, set(inputs.keys()) - set(FIELDS)))
    if unknown:
        raise ValueError(f"Unknown fields {short_value(unknown)}; a request has {', '.join(FIELDS)}.")
    present = {name: inputs[name] for name in inputs.keys() if not is_missing(inputs[name])}  # noqa: SIM118 - a Series
    return {name: value if name == "image" else to_plain(value) for name, value in present.items()}


def is_missing(value: Any) -> bool:
    """Returns whether a value is missing: None, a NaN of any kind, or pandas' NA."""
    if value is None or (isinstance(value, Real) and value != value):
        return True
    pandas = sys.modules.get("pandas")  # a value of pandas is here only if pandas is
    return pandas is not None and pandas.api.types.is_scalar(value) and bool(pandas.isna(value))


def to_plain(value: Any) -> Any:
    """Converts arrays, tensors and their scalars, however deep, to lists and numbers."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(map(to_plain, value))
    return value


def read_string(name: str, value: Any) -> str:
    """Reads a text field, empty for None.

    Raises:
        ValueError: It is no string, or holds half a character, as JSON may spell it.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {short_value(value)}; give a string.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} holds half a character at {error.start}: {value[error.start]!r}; drop it."
        ) from error
    return value


def read_index(value: Any) -> int:
    """Converts a whole number to Python's own; raises TypeError for anything else, True and False among them."""
    if isinstance(value, bool):
        raise TypeError(f"{value} is no index.")
    return operator.index(value)


def read_number(value: Any) -> float:
    """Converts a number, also one in a string; raises OverflowError, ValueError or TypeError, also for True, False."""
    if isinstance(value, bool):
        raise TypeError(f"{value} is no number.")
    return float(value)


def read_score(score: Any, name: str) -> float:
    """Reads the score, 0 to 1, of an entity or object that is called `name`; 1 for None.

    Raises:
        ValueError: It is no such number.
    """
    if score is None:
        return 1.0
    try:
        number = read_number(score)
    except (OverflowError, TypeError, ValueError):
        number = float("nan")
    if not 0 <= number <= 1 + _SCORE_ABOVE:  # also rejects NaN
        raise ValueError(
            f"The score {short_value(score)} of {short_text(name)} is no number from 0 to 1; correct it, or leave "
            "it out."
        )
    return min(number, 1.0)


def short_text(text: str) -> str:
    """Quotes a text for a message, cut where it is long."""
    return repr(_cut(text))


def short_value(value: Any) -> str:
    """Shows any value in a message, cut where it is long."""
    try:
        return _cut(repr(value))
    except Exception:  # an integer of thousands of digits, or an object without a repr
        return f"a {type(value).__name__} that cannot be shown"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 3] + "..."


__all__ = [
    "FIELDS",
    "UnreadableRow",
    "is_missing",
    "is_request",
    "read_fields",
    "read_index",
    "read_number",
    "read_requests",
    "read_score",
    "read_string",
    "request_id",
    "short_text",
    "short_value",
    "to_plain",
]
