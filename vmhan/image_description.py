"""Descriptions of images: the interface of describers, and sentences composed of detected objects."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from PIL import Image

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLURALS = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "knife": "knives",
    "sheep": "sheep",
    "skis": "skis",
    "scissors": "scissors",
    "glasses": "glasses",
}
PARTS = {"face": "person"}  # parts do not count beside the object that they belong to
_ALWAYS_PLURAL = ("skis", "scissors", "glasses")


def compose_description(labels: Iterable[str]) -> str | None:
    """Composes a sentence that counts objects by label, or None without any. A face does not count beside a person.

    Example:
        >>> compose_description(["person", "dog", "person"])
        'Two people and a dog.'
    """
    counts: Counter[str] = Counter(labels)
    for part, whole in PARTS.items():
        if whole in counts:
            del counts[part]
    phrases = [_counted(label, count) for label, count in counts.most_common()]
    if not phrases:
        return None
    listed = phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
    return f"{listed[0].upper()}{listed[1:]}."


def _counted(label: str, count: int) -> str:
    if count == 1:
        return label if label in _ALWAYS_PLURAL else f"{'an' if label[0] in 'aeiou' else 'a'} {label}"
    return f"{_NUMBERS[count] if count < len(_NUMBERS) else count} {_plural(label)}"


def _plural(label: str) -> str:
    *first, last = label.split()
    if last in _PLURALS:
        last = _PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = f"{last[:-1]}ies"
    else:
        last += "s"
    return " ".join([*first, last])


class ImageDescriber(Protocol):
    """Interface of describers."""

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """Describes each image in text."""
        ...


__all__ = ["ImageDescriber", "compose_description"]
