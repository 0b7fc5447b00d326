"""Readers of corpora of named entities, a row for each sentence.

A file has a word a line and its tag last, BIO or IOB1, between them tabs or blanks and maybe further columns. A blank
line ends a sentence. Lines of a tweet's image ("IMGID:...") and of a document's start ("-DOCSTART-") are passed over.

Broad Twitter Corpus labels the "@" of a handle, a word there, as a mention of its own, beside that of the name, or not
at all, and likewise the "#" of a hashtag: by default signs before a name are in no mention, in any corpus.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from vmhan.data.parsing import BadLine, check_reading, report_bad_lines
from vmhan.mention_labels import MENTION_KINDS

_PERSON, _PLACE, _ORGANIZATION, _OTHER = MENTION_KINDS
_COARSE = {"PER": _PERSON, "LOC": _PLACE, "ORG": _ORGANIZATION}
_TAG = re.compile(r"O|[BI]-(?P<type>\S+)")
_PASSED_OVER = re.compile(r"IMGID:\S+\s*|-DOCSTART-.*")
_HELD_OUT = 10  # a corpus without splits: one sentence of so many is for validation


@dataclass(frozen=True)
class NERCorpus:
    """Describes a corpus.

    Args:
        files: File of each split. One that is both train and validation is split by a hash of the sentence's words.
        kinds: The kind of each of its types.
        terms: Terms of the annotations.
        ships: Whether the terms allow weights that are trained on it to be shipped.
        marks_handles: Whether handles ("@ada") of people and organizations are mentions in it.
    """

    files: Mapping[str, str]
    kinds: Mapping[str, str]
    terms: str
    ships: bool = True
    marks_handles: bool = False

    @property
    def unannotated(self) -> tuple[str, ...]:
        """Returns the kinds that the corpus does not annotate."""
        return tuple(kind for kind in MENTION_KINDS if kind not in self.kinds.values())


#: The corpora by name. WNUT's "group" is a band, a team or another organization that is no company: an organization,
#: as in the labels of MNRE.
NER_CORPORA = {
    "btc": NERCorpus(
        {"train": "btc.train", "validation": "btc.dev", "test": "btc.test"}, _COARSE, "CC BY 4.0", marks_handles=True
    ),
    "wnut17": NERCorpus(
        {"train": "wnut17train.conll", "validation": "emerging.dev.conll", "test": "emerging.test.annotated"},
        {
            "person": _PERSON,
            "location": _PLACE,
            "corporation": _ORGANIZATION,
            "group": _ORGANIZATION,
            "product": _OTHER,
            "creative-work": _OTHER,
        },
        "CC BY 4.0",
    ),
    "tweebank_ner": NERCorpus(
        {"train": "train.bio", "validation": "dev.bio", "test": "test.bio"}, {**_COARSE, "MISC": _OTHER}, "Apache-2.0"
    ),
    "wikigold": NERCorpus(
        {"train": "wikigold.conll.txt", "validation": "wikigold.conll.txt"}, {**_COARSE, "MISC": _OTHER}, "CC BY 4.0"
    ),
    "twitter2015": NERCorpus(
        {"train": "train.txt", "validation": "valid.txt", "test": "test.txt"},
        {**_COARSE, "OTHER": _OTHER},
        "Twitter's and the providers' copyrights",
        ships=False,
    ),
    "twitter2017": NERCorpus(
        {"train": "train.txt", "validation": "valid.txt", "test": "test.txt"},
        {**_COARSE, "MISC": _OTHER},
        "Twitter's and the providers' copyrights",
        ships=False,
    ),
}


class _TaggedWord(NamedTuple):
    line: int
    word: str
    tag: str


def load_ner(
    data_dir: str | Path,
    corpus: str,
    split: str,
    *,
    keep_signs: bool = False,
    on_error: str = "raise",
    report_path: str | Path | None = None,
) -> list[dict]:
    """Reads a split of a corpus.

    A row holds `line` (that of its first word, from 1), `words`, `mentions`, a list of ([start, end) words, kind) as
    (start, end, kind), and `unknown`, the [start, end) words outside of mentions of which the corpus says nothing: its
    handles, unless it marks them.

    Args:
        data_dir: Folder of the corpus, or the folder with a folder for each.
        corpus: A name of `NER_CORPORA`.
        split: "train", "validation" or "test".
        keep_signs: Whether mentions stay as the file has them, with "@" and "#" before a name.
        on_error: "raise" stops at the first bad line, "skip" leaves bad lines out, counted and logged.
        report_path: With "skip", JSON lines of `path`, `line` and `why` are written here.

    Raises:
        BadLine: A line has no word or no tag, or its type is unknown.
        FileNotFoundError: The file is missing.
        ValueError: There is no such corpus, split or value of `on_error`.
    """
    check_reading(on_error, "none", None)
    path = ner_file(data_dir, corpus, split)
    bad_lines: list[BadLine] | None = [] if on_error == "skip" else None
    rows = read_ner(path, NER_CORPORA[corpus].kinds, keep_signs=keep_signs, bad_lines=bad_lines)
    if bad_lines is not None:
        report_bad_lines(bad_lines, report_path)
    for row in rows:
        row["unknown"] = (
            [] if NER_CORPORA[corpus].marks_handles else find_unmarked_handles(row["words"], row["mentions"])
        )
    if not _is_split_by_hash(corpus):
        return rows
    return [row for row in rows if _is_held_out(row) == (split == "validation")]


def ner_file(data_dir: str | Path, corpus: str, split: str) -> Path:
    """Finds the file of a split of a corpus.

    Raises:
        FileNotFoundError: It is missing.
        ValueError: There is no such corpus or split.
    """
    if corpus not in NER_CORPORA:
        raise ValueError(f'There is no corpus "{corpus}" of named entities; choose one of {list(NER_CORPORA)}.')
    names = NER_CORPORA[corpus].files
    if split not in names:
        raise ValueError(f'{corpus} has no split "{split}"; choose one of {list(names)}.')
    folder = Path(data_dir)
    for path in (folder / corpus / names[split], folder / names[split]):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"{names[split]} ({corpus}, {split}) is neither in {folder} nor in its folder {corpus}; set data_dir to the "
        "folder of the corpora."
    )


def read_ner(
    path: str | Path, kinds: Mapping[str, str], *, keep_signs: bool = False, bad_lines: list[BadLine] | None = None
) -> list[dict]:
    """Reads a file of tagged words to rows of `line`, `words` and `mentions`.

    Args:
        path: The file.
        kinds: The kind of each type that its tags may name.
        keep_signs: As of `load_ner`.
        bad_lines: Collects the bad lines, which are left out; with None the first one is raised.

    Raises:
        BadLine: The first bad line, without `bad_lines`.
    """
    rows = []
    tagged = _read_tagged(Path(path), kinds, bad_lines)
    for is_sentence, group in groupby(tagged, key=lambda word: word is not None):
        if is_sentence:
            sentence = [word for word in group if word is not None]
            words = [word.word for word in sentence]
            mentions = [(start, end, kinds[name]) for start, end, name in _spans([word.tag for word in sentence])]
            mentions = mentions if keep_signs else _without_signs(words, mentions)
            rows.append({"line": sentence[0].line, "words": words, "mentions": mentions})
    return rows


def find_unmarked_handles(
    words: Sequence[str], mentions: Sequence[tuple[int, int, str | None]]
) -> list[tuple[int, int]]:
    """Finds the [start, end) of handles outside of mentions, a word "@ada" or two, "@" and "ada"."""
    marked = {index for start, end, _ in mentions for index in range(start, end)}
    spans = [(i, min(i + 1 + (word == "@"), len(words))) for i, word in enumerate(words) if word.startswith("@")]
    return [span for span in spans if marked.isdisjoint(range(*span))]


def _read_tagged(
    path: Path, kinds: Mapping[str, str], bad_lines: list[BadLine] | None
) -> Iterator[_TaggedWord | None]:
    """Yields the tagged words of a file, None for a blank line."""
    with open(path, "rb") as lines:  # as bytes, only a newline ends a line: words may hold U+2028
        for number, line in enumerate(lines, start=1):
            try:
                text = line.decode("utf-8-sig").rstrip("\r\n")
                if not text.strip(" \t"):
                    yield None
                elif not _PASSED_OVER.fullmatch(text):
                    yield _TaggedWord(number, *_parse(text, kinds))
            except ValueError as error:
                bad = BadLine(path, number, str(error))
                if bad_lines is None:
                    raise bad from error
                bad_lines.append(bad)


def _parse(text: str, kinds: Mapping[str, str]) -> tuple[str, str]:
    """Parses a line to word and tag."""
    columns = text.split("\t") if "\t" in text else text.split()
    word, tag = columns[0].strip(), columns[-1].strip()
    if len(columns) < 2 or not word:
        raise ValueError(f"not a word and its tag: {text!r:.80}")
    parsed = _TAG.fullmatch(tag)
    if not parsed:
        raise ValueError(f'the tag of "{word:.40}" is {tag!r:.40}, not O, B-type or I-type')
    if parsed["type"] and parsed["type"] not in kinds:
        raise ValueError(f'the type of "{word:.40}" is {parsed["type"]!r:.40}, none of {", ".join(kinds)}')
    return word, tag


def _spans(tags: list[str]) -> list[tuple[int, int, str]]:
    """Finds [start, end) and type of each mention; "I-" begins one too where the tag before is of another type."""
    spans: list[tuple[int, int, str]] = []
    for index, tag in enumerate(tags):
        prefix, _, name = tag.partition("-")
        if prefix == "I" and spans and spans[-1][1:] == (index, name):
            spans[-1] = (spans[-1][0], index + 1, name)
        elif prefix != "O":
            spans.append((index, index + 1, name))
    return spans


def _without_signs(words: list[str], mentions: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Leaves out words that are signs before a name, and mentions that are nothing else."""
    trimmed = []
    for start, end, kind in mentions:
        while start < end and not words[start].strip("@#"):
            start += 1
        if start < end:
            trimmed.append((start, end, kind))
    return trimmed


def _is_split_by_hash(corpus: str) -> bool:
    names = NER_CORPORA[corpus].files
    return names["train"] == names["validation"]


def _is_held_out(row: dict) -> bool:
    digest = hashlib.sha256("\n".join(row["words"]).encode()).digest()
    return digest[0] * 256 + digest[1] < 65536 // _HELD_OUT


__all__ = ["NER_CORPORA", "NERCorpus", "find_unmarked_handles", "load_ner", "ner_file", "read_ner"]
