"""What is text, an index or a number in a request, checked, and how messages quote what a request holds."""

import operator
from typing import Any


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
