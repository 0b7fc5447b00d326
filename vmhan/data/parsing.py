"""Parser of the lines of data files, each a Python dict literal or a JSON object with an entity pair.

The fields that data sets share are parsed here: `token` (words), `img_id`, `relation` and the `pos` of an entity, a
[start, end) pair of word offsets.
"""

import ast
import codecs
import gzip
import json
import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from tqdm.auto import tqdm

logger = logging.getLogger(__name__)

SILENT = 2  # seconds before a progress bar appears
_KEYS = ("token", "h", "t", "img_id", "relation")


class BadLine(ValueError):
    """A line of a data file that is no entity pair.

    Args:
        path (`Path`): The file.
        line (`int`): 1-based number of the line.
        why (`str`): What is wrong with it.
    """

    def __init__(self, path: Path, line: int, why: str):
        super().__init__(f'{path}, line {line}: {why}. Mend the line, or leave it out with on_error="skip".')
        self.path, self.line, self.why = path, line, why


def read_lines(
    path: Path, read: Callable[[dict], dict], bad_lines: list[BadLine] | None, keys: Sequence[str] = _KEYS
) -> list[dict]:
    """Reads the rows of a file, each with its `line`; blank lines are skipped.

    Args:
        path: The file, which may be compressed (`.gz`).
        read: Converts a line's dict to its row, or raises a `ValueError`.
        bad_lines: Collects the bad lines; with None the first one is raised.
        keys: What a line's dict has to hold.

    Raises:
        BadLine: The first bad line, without `bad_lines`.
        ValueError: The file is in UTF-16 or UTF-32.
    """
    _refuse_wide_characters(path)
    rows = []
    with _open(path) as lines:  # as bytes, only a newline ends a line: words may hold U+2028
        for number, line in enumerate(tqdm(lines, desc=path.name, unit=" lines", delay=SILENT), start=1):
            line = line.removeprefix(codecs.BOM_UTF8)  # also where files were put together
            if not line.strip():
                continue
            try:
                rows.append({"line": number, **read(_literal(line, keys))})
            except ValueError as error:
                bad = BadLine(path, number, str(error))
                if bad_lines is None:
                    raise bad from error
                bad_lines.append(bad)
    return rows


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else open(path, "rb")


def _refuse_wide_characters(path: Path) -> None:
    with _open(path) as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start:
        raise ValueError(f"{path} is in UTF-16 or UTF-32; save it as UTF-8.")


def _literal(line: bytes, keys: Sequence[str]) -> dict:
    """The dict of a line. `ast.literal_eval` runs no code, whatever the file holds.

    JSON first: where a line is both, only JSON reads the escapes of an emoji as one character.
    """
    try:
        raw = _json_or_python(line.decode("utf-8"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError(f"not a Python literal or JSON in UTF-8: {line!r:.80}") from None
    if not isinstance(raw, dict):
        raise ValueError(f"not a dict: {raw!r:.80}")
    missing = [key for key in keys if key not in raw]
    if missing:
        raise ValueError(f"no {', '.join(missing)} in it")
    return raw


def _json_or_python(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(text)


def read_sentence(raw: dict) -> dict:
    """Reads `words`, `relation` and `image_id`, without ".jpg", of a line.

    Raises:
        ValueError: One of them is malformed.
    """
    words, image, relation = raw["token"], raw["img_id"], raw["relation"]
    if not isinstance(words, list) or not words or not all(map(is_text, words)):
        raise ValueError(f'"token" is not a list of one or more non-empty strings: {words!r:.80}')
    if not is_text(image) or re.search(r"[/\\\0]", image):
        raise ValueError(f'"img_id" is not a file name: {image!r:.80}')
    if not is_text(relation):
        raise ValueError(f'"relation" is no string: {relation!r:.80}')
    return {"words": words, "relation": relation, "image_id": image.removesuffix(".jpg")}


def is_text(value: object) -> bool:
    """Tests whether `value` is a string that is not blank and can be written as UTF-8."""
    if not isinstance(value, str) or not value.strip():
        return False
    return value.isascii() or not re.search(r"[\ud800-\udfff]", value)


def read_span(entity: object, name: str, words: int) -> list[int]:
    """Reads the [start, end) word offsets of an entity in a sentence of `words` words.

    Raises:
        ValueError: They are malformed, or outside the sentence.
    """
    span = entity.get("pos") if isinstance(entity, dict) else None
    if not isinstance(span, list | tuple) or len(span) != 2 or any(type(offset) is not int for offset in span):
        raise ValueError(f'{name} is not a "pos" of two integers: {entity!r:.80}')
    start, end = span
    if start >= end:
        raise ValueError(f"{name} ({start}, {end}) is empty or reversed; spans are end-exclusive word offsets")
    if start < 0 or end > words:
        raise ValueError(f"{name} ({start}, {end}) is outside the {words} words; spans are end-exclusive word offsets")
    return [start, end]


def read_object(path: Path) -> dict:
    """Reads the one object of a JSON file.

    Raises:
        ValueError: It holds something else.
    """
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path} is not one JSON object.")
    return value


def check_reading(on_error: str, on_missing_image: str, limit: int | None) -> None:
    """Checks the arguments that all readers share.

    Raises:
        ValueError: One has no such value.
    """
    if on_error not in ("raise", "skip"):
        raise ValueError(f'on_error is "{on_error}"; choose "raise" or "skip".')
    if on_missing_image not in ("none", "raise"):
        raise ValueError(f'on_missing_image is "{on_missing_image}"; choose "none" or "raise".')
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; set 1 or more rows.")


def report_bad_lines(bad_lines: Sequence[BadLine], report_path: str | Path | None) -> None:
    """Logs the number of bad lines, and writes them as JSON lines of `path`, `line` and `why`, or an empty file."""
    if bad_lines:
        first = bad_lines[0]
        logger.warning("%d bad lines left out, first %s:%d: %s", len(bad_lines), first.path, first.line, first.why)
    if report_path is not None:
        entries = [{"path": str(bad.path), "line": bad.line, "why": bad.why} for bad in bad_lines]
        Path(report_path).write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
