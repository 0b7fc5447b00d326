"""Overlap of validation and test with the training split.

    python -m train.data.overlap path/to/mnre

Counts, between each two splits, the rows of the later one whose sentence is in the earlier one; those whose sentence
is when links and handles are left out of both; those whose sentence and two spans are; and those whose names of head
and tail are, in this order or in any. A model may have memorized such a row.
"""

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Hashable
from itertools import combinations
from pathlib import Path

from datasets import Dataset, DatasetDict

from train.data.rows import check_files
from train.settings_parser import usage_errors
from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.evaluation.overlap import in_words
from vmhan.evaluation.result_file import code_version, versions, write_result
from vmhan.evaluation.tables import markdown_table

#: A word that is a link or a handle of Twitter, whatever signs stand before it.
LINK_OR_HANDLE = re.compile(r"\W*(@\w|https?\b|www\.)|.*(://|\bt\.co\b)", re.IGNORECASE)


def words_of(row: dict) -> Hashable:
    """Reads the sentence."""
    return tuple(row["words"])


def stripped_words_of(row: dict) -> Hashable:
    """Reads the sentence without links and handles; None where nothing is left."""
    return tuple(word for word in row["words"] if not LINK_OR_HANDLE.match(word)) or None


def pair_of(row: dict) -> Hashable:
    """Reads the sentence with the two spans."""
    return words_of(row), *(tuple(row[name]) for name in ("head_span", "tail_span"))


def names_of(row: dict) -> Hashable:
    """Reads the names of head and tail, in this order."""
    return tuple(" ".join(row["words"][slice(*row[name])]) for name in ("head_span", "tail_span"))


def unordered_names_of(row: dict) -> Hashable:
    """Reads the names of head and tail in any order."""
    return tuple(sorted(names_of(row)))


#: The kinds of keys that may be in both splits, by their names in the result file.
KEYS: dict[str, Callable[[dict], Hashable]] = {
    "sentence": words_of,
    "stripped_sentence": stripped_words_of,
    "pair": pair_of,
    "ordered_names": names_of,
    "unordered_names": unordered_names_of,
}


def count_overlap(later: Dataset, earlier: Dataset) -> dict[str, dict[str, int]]:
    """Counts, for each kind of key, the rows of a split whose key is in an earlier split, and the different keys."""
    rows, known = later.to_list(), earlier.to_list()
    counts = {}
    for kind, key in KEYS.items():
        seen = {key(row) for row in known} - {None}
        found = [key(row) for row in rows if key(row) in seen]
        counts[kind] = {"rows": len(found), "different": len(set(found))}
    return counts


def count_overlaps(splits: DatasetDict) -> list[dict]:
    """Counts, for each two splits, the rows of the later one that are in the earlier one."""
    columns = ["words", "head_span", "tail_span"]
    rows = {name: split.select_columns(columns) for name, split in splits.items()}
    return [
        {"split": later, "rows": len(rows[later]), "in": earlier, **count_overlap(rows[later], rows[earlier])}
        for earlier, later in combinations(rows, 2)
    ]


def _rows(count: dict[str, int]) -> str:
    return f"{count['rows']} ({count['different']} sentence{'s' if count['different'] != 1 else ''})"


def table(overlaps: list[dict]) -> str:
    """Renders the counts as a Markdown table."""
    head = ["rows of", "in", "same sentence", "same without links and handles", "same sentence and entities"]
    head += ["same names in this order", "same names in any order"]
    lines = [head, ["---"] * len(head)]
    for overlap in overlaps:
        counts = [overlap[kind] for kind in KEYS]
        sentences = [_rows(count) for count in counts[:2]]
        rows = [str(count["rows"]) for count in counts[2:]]
        lines.append([f"{overlap['split']} ({overlap['rows']:,})", overlap["in"], *sentences, *rows])
    return markdown_table(lines)


def main(argv: list[str]) -> dict:
    """Counts, prints a table, writes a result file and returns its content."""
    parser = argparse.ArgumentParser(prog="python -m train.data.overlap", description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", help="folder of the text files, in MNRE's form")
    parser.add_argument("--no_relation", help="label of pairs without a relation, if it has none of the usual names")
    parser.add_argument("--results_dir", default="assets/results", help="where overlap-mnre.json goes")
    args = parser.parse_args(argv)
    only_text = {"descriptions": None, "boxes": None}
    check_files("mnre", args.data_dir)
    overlaps = count_overlaps(load_mnre(args.data_dir, **only_text, no_relation=args.no_relation))
    result = {
        "command": shlex.join(["python", "-m", "train.data.overlap", *argv]),
        "data": mnre_checksums(args.data_dir, **only_text),
        **code_version(),
        "versions": versions(),
        "overlaps": overlaps,
        "in_words": in_words(overlaps),
    }
    print(table(overlaps))
    write_result(Path(args.results_dir) / "overlap-mnre.json", result)
    return result


if __name__ == "__main__":
    with usage_errors("train.data.overlap"):
        main(sys.argv[1:])
