"""Values and fields of a request as plain Python, whatever they came as: numpy, pandas, torch or a row of a data set.

Streams are read here too: what counts as one request, as a list of them, or as a stream that is read lazily.
"""

import operator
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from torch.utils.data import IterableDataset


def read_words(name: str, words: str | None) -> str:
    """`words`, empty for None; refuses what is no string, and the half characters that JSON can smuggle in."""
    if words is not None and not isinstance(words, str):
        raise ValueError(f"{name} is {short_value(words)}; give a string.")
    try:
        (words or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} holds half a character at {error.start}: {words[error.start]!r}; drop it."
        ) from error
    return words or ""


def short_text(text: str) -> str:
    """A text as a message quotes it, cut where it is long."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def short_value(value: Any) -> str:
    """Any value as a message quotes it, cut where it is long."""
    try:
        shown = repr(value)
    except Exception:  # an integer of thousands of digits, or an object that cannot even be shown
        return f"a {type(value).__name__} that cannot be shown"
    return shown if len(shown) <= 80 else shown[:77] + "..."


def read_index(value: Any) -> int:
    """A whole number as Python's own; raises TypeError for what is none, True and False among them."""
    if isinstance(value, bool):
        raise TypeError(f"{value} is no index.")
    return operator.index(value)


def read_number(value: Any) -> float:
    """A number, also one spelt out; raises OverflowError if it is too large, TypeError also for True and False."""
    if isinstance(value, bool):
        raise TypeError(f"{value} is no number.")
    return float(value)


FIELDS = ("text", "entities", "image", "description", "objects", "pairs", "id")


def read_fields(inputs: Any) -> dict[str, Any]:
    """Converts a request to a dict of plain fields; those that are missing (None, NaN, pandas' NA) are left out.

    The image stays what it is.

    Raises:
        ValueError: It is no request, or has a field that there is not.
    """
    if not is_request(inputs):
        raise ValueError(f'A request is a dict with "text" and "entities", not {type(inputs).__name__}.')
    unknown = sorted(map(str, set(inputs.keys()) - set(FIELDS)))
    if unknown:
        raise ValueError(f"Unknown fields {short_value(unknown)}; a request has {', '.join(FIELDS)}.")
    present = {name: inputs[name] for name in inputs.keys() if not is_missing(inputs[name])}  # noqa: SIM118 - a Series
    return {name: value if name == "image" else to_plain(value) for name, value in present.items()}


def request_id(inputs: Any) -> Any:
    """The `"id"` of a request that may be anything, or None."""
    value = inputs.get("id") if is_request(inputs) else None
    return None if is_missing(value) else to_plain(value)


def is_request(inputs: Any) -> bool:
    """Whether this is one request: a dict, a row of a data set, or a row (Series) of a pandas DataFrame."""
    return isinstance(inputs, Mapping) or (hasattr(inputs, "to_dict") and hasattr(inputs, "to_frame"))


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, a NaN of any kind, or pandas' NA."""
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


def read_requests(inputs: Any) -> tuple[Iterable | None, bool]:
    """The requests of what a caller passes, and whether they are a stream, which is answered as it is read.

    Lists, tuples and DataFrames are not; iterators, data sets and all else that can be iterated are. One request, or
    what is none, gives None.
    """
    if is_request(inputs) or isinstance(inputs, str | bytes | bytearray):
        return None, False
    if hasattr(inputs, "iterrows"):
        return inputs.to_dict("records"), False
    if isinstance(inputs, list | tuple):
        return inputs, False
    # torch's IterableDataset inherits a __getitem__ that only fails
    if hasattr(inputs, "__getitem__") and hasattr(inputs, "__len__") and not isinstance(inputs, IterableDataset):
        return _read_rows(inputs, len(inputs)), True  # a data set; it need not say where it ends
    if isinstance(inputs, Iterable):
        return inputs, True
    return None, False


@dataclass(frozen=True)
class UnreadableRow:
    """Stands for a request that its source could not give.

    Args:
        error: What is wrong with it.
    """

    error: Exception


def _read_rows(source: Any, count: int) -> Iterator[Any]:
    """The requests of a source with indices; one that it cannot give, such as a broken image, takes no other along."""
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


__all__ = [
    "FIELDS",
    "UnreadableRow",
    "is_missing",
    "is_request",
    "read_fields",
    "read_requests",
    "request_id",
    "to_plain",
]
