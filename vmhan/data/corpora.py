"""Reader of further corpora of relations: text alone, in MNRE's form, split by document.

A line is a JSON object with `token` (words), `h` and `t` (the entities, with their `pos`, a [start, end) pair of word
offsets) and `relation`. Such files have no splits that all corpora share, and no ids of documents; facts come back
within a document, so that a split by sentence would have the training answer the test.
"""

import hashlib
from collections import defaultdict
from pathlib import Path

from vmhan.data.parsing import BadLine, is_text, read_lines, read_span

#: A sentence that comes back within so many lines belongs to one document with all lines between.
_LINES_OF_DOCUMENT = 30
#: Tenths of the documents that are held out.
_TEST_BUCKET, _VALIDATION_BUCKET, _BUCKETS = 0, 1, 10
KEYS = ("token", "h", "t", "relation")
_PRONOUNS = frozenset(
    "he she it they who i we you him her them his its their himself herself itself".split()  # noqa: SIM905
)


def load_corpus(path: str | Path, bad_lines: list[BadLine] | None = None) -> dict[str, list[dict]]:
    """Reads the rows of a corpus by split.

    A row holds `line`, `words`, `head_span`, `tail_span` and `relation`, as those of MNRE. A tenth of the documents is
    `"test"`, another one `"validation"`, the others are `"train"`, by a checksum of their text: the same whatever else
    the file holds.

    Args:
        path: JSON lines, perhaps compressed (`.gz`).
        bad_lines: Collects the bad lines, which are left out; without it the first one is raised.

    Raises:
        BadLine: A line is no entity pair.
        FileNotFoundError: There is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; name a file of JSON lines in MNRE's form under corpora.")
    rows = read_lines(path, _row, bad_lines, keys=KEYS)
    splits = {"train": [], "validation": [], "test": []}
    for rows_of_document in group_by_document(rows):
        splits[_split_of(rows_of_document)] += rows_of_document
    return splits


def group_by_document(rows: list[dict]) -> list[list[dict]]:
    """Groups rows that seem to be of one document, documents in the order of their first row.

    Rows belong together where they are of one sentence or relate the same two names, where they are neighbors in the
    file and share a name, and where they stand between rows of one sentence that are near each other.
    """
    documents = _DisjointSets(len(rows))
    last_of_sentence: dict[tuple, int] = {}
    first_of_names: dict[frozenset, int] = {}
    previous: frozenset = frozenset()
    for index, row in enumerate(rows):
        words, names = tuple(row["words"]), _names(row)
        last = last_of_sentence.get(words, index)
        near = index - last <= _LINES_OF_DOCUMENT
        for other in range(last, index) if near else [last]:
            documents.join(other, index)
        if len(names) > 1:
            documents.join(first_of_names.setdefault(names, index), index)
        if previous & names:
            documents.join(index - 1, index)
        last_of_sentence[words], previous = index, names
    groups = defaultdict(list)
    for index, row in enumerate(rows):
        groups[documents.find(index)].append(row)
    return list(groups.values())


def _row(raw: dict) -> dict:
    """Reads the entity pair of a line.

    Raises:
        ValueError: The line is none.
    """
    words, relation = raw["token"], raw["relation"]
    if not isinstance(words, list) or not words or not all(map(is_text, words)):
        raise ValueError(f'"token" is not a list of one or more non-empty strings: {words!r:.80}')
    if not is_text(relation):
        raise ValueError(f'"relation" is no string: {relation!r:.80}')
    head, tail = (read_span(raw[key], name, len(words)) for key, name in (("h", "head_span"), ("t", "tail_span")))
    if head == tail:
        raise ValueError(f"head_span and tail_span are both ({head[0]}, {head[1]})")
    return {"words": words, "head_span": head, "tail_span": tail, "relation": relation}


def _names(row: dict) -> frozenset[str]:
    """Returns the names of head and tail; a pronoun, which some corpora mark as an entity, is none."""
    entities = {" ".join(row["words"][slice(*row[key])]).casefold() for key in ("head_span", "tail_span")}
    return frozenset(entities - _PRONOUNS)


def _split_of(rows: list[dict]) -> str:
    digest = hashlib.sha256(" ".join(rows[0]["words"]).encode()).hexdigest()
    return {_TEST_BUCKET: "test", _VALIDATION_BUCKET: "validation"}.get(int(digest, 16) % _BUCKETS, "train")


class _DisjointSets:
    """Sets of indices that are joined step by step (union-find); the smallest index names its set."""

    def __init__(self, count: int):
        self.parents = list(range(count))

    def find(self, index: int) -> int:
        while self.parents[index] != index:
            self.parents[index] = self.parents[self.parents[index]]
            index = self.parents[index]
        return index

    def join(self, one: int, other: int) -> None:
        one, other = sorted((self.find(one), self.find(other)))
        self.parents[other] = one


__all__ = ["group_by_document", "load_corpus"]
