"""Finds the rows that the processor refuses before the training, not in the middle of it or at its end.

Data files are read without a tokenizer. What only wordpieces tell is checked here: whether a sentence fits into the
encoder with its markers, and whether every mention has a wordpiece.
"""

import json
import logging
from collections.abc import Iterable
from pathlib import Path

from datasets import Dataset, DatasetDict
from tqdm.auto import tqdm

from train.arguments import RunConfig
from train.data.collator import PairCollator
from train.data.rows import split_files
from vmhan import VMHANProcessor
from vmhan.data.disk_cache import batched
from vmhan.data.parsing import BadLine
from vmhan.data.schema import group_by_sentence, has_object_tails

logger = logging.getLogger(__name__)

SENTENCES = 64  # checked in one call
#: The columns that the processor reads, without those of the image.
COLUMNS = ("line", "words", "mentions", "head_span", "tail_span", "relation", "image_id")
COLUMNS_OF_OBJECTS = ("tail_object", "entity_boxes", "entity_captions", "object_boxes")


def check_rows(
    splits: DatasetDict, config: RunConfig, processor: VMHANProcessor | None = None, report: Path | None = None
) -> DatasetDict:
    """Leaves out the rows that the processor refuses, and refuses splits that are empty.

    Args:
        splits: As they were read.
        config: Says what a bad row does, and whether the test split is read.
        processor: Of the model; without it only emptiness is checked.
        report: Lists the rows that are left out.

    Raises:
        BadLine: A row is refused, and `on_error` is `"raise"`.
        ValueError: A split is empty.
    """
    files, read_test = split_files(config.data), config.training.read_test
    refuse_empty(splits, files, read_test, report=report)
    if processor is None:
        return splits
    kept = keep_readable(splits, processor, files, config.data.on_error, report)
    refuse_empty(kept, files, read_test, before=splits, report=report)
    return kept


def keep_readable(
    splits: DatasetDict, processor: VMHANProcessor, files: dict[str, str | Path], on_error: str, report: Path | None
) -> DatasetDict:
    """Keeps the rows that the processor can read.

    Args:
        splits: As they were read.
        processor: Of the model.
        files: What each split was read from, for messages.
        on_error: `"raise"` stops at the first other row, `"skip"` leaves them out, counted and logged.
        report: With `"skip"`, JSON lines of those left out are added here.

    Raises:
        BadLine: With file and line.
    """
    kept, bad_lines = {}, []
    for split, rows in splits.items():
        faults = find_faults(rows, processor)
        lines = [BadLine(files[split], rows[index]["line"], why) for index, why in sorted(faults.items())]
        if lines and on_error == "raise":
            raise lines[0]
        bad_lines += lines
        kept[split] = leave_out(rows, faults) if faults else rows
    if bad_lines:
        logger.warning("%d rows left out, first %s", len(bad_lines), bad_lines[0])
    if report is not None:
        _add_to_report(report, bad_lines)
    return DatasetDict(kept)


def refuse_empty(
    splits: DatasetDict,
    files: dict[str, str | Path],
    read_test: bool,
    before: DatasetDict | None = None,
    report: Path | None = None,
) -> None:
    """Refuses a split without rows, which would only break the run once the model is trained.

    Args:
        splits: What is left of them.
        files: As of `keep_readable`.
        read_test: True where the test split is scored. Where it is not, it may be empty.
        before: The splits of which rows were left out since; None where they have just been read.
        report: The JSON lines of the rows that were left out.

    Raises:
        ValueError: Names the split, its file and what to do.
    """
    for split, rows in splits.items():
        if len(rows) or (split == "test" and not read_test):
            continue
        count = _count_reported(report, files[split]) if before is None else len(before[split])
        what = f"All {count} rows of {split} were left out, those of {files[split]}" if count else None
        where = f"; {report} says why" if count and report is not None else ""
        mend = "mend them" if count else f"put the rows of {split} there"
        aside = ", or leave test unread with --read_test false" if split == "test" else ""
        raise ValueError(f"{what or f'{files[split]} holds no entity pair'}{where}. For a run, {mend}{aside}.")


def _count_reported(report: Path | None, file: str | Path) -> int:
    if report is None:
        return 0
    with open(report, encoding="utf-8") as lines:
        return sum(json.loads(line)["path"] == str(file) for line in lines)


def find_faults(rows: Dataset, processor: VMHANProcessor) -> dict[int, str]:
    """Finds why the processor refuses rows, by their index.

    A row is refused for its own mentions. Where only all mentions of a sentence together are too many, all of its rows
    are.
    """
    one_way = has_object_tails(rows.column_names)
    collate = PairCollator(processor, "described" if one_way else "text_only")
    seen = rows.select_columns([name for name in (*COLUMNS, *COLUMNS_OF_OBJECTS) if name in rows.column_names])
    faults: dict[int, str] = {}
    chunks = list(batched(group_by_sentence(rows), SENTENCES))
    for groups in tqdm(chunks, desc=f"checking rows, {rows.split}", delay=2):
        sentences = [dict(zip(group, seen.select(group), strict=True)) for group in groups]  # rows by index
        if _fault(collate, [row for sentence in sentences for row in sentence.values()]) is not None:
            for sentence in sentences:
                faults |= _faults_of_sentence(collate, sentence)
    return faults


def leave_out(rows: Dataset, indices: Iterable[int]) -> Dataset:
    """Drops rows; mentions that stood in none but these are no more mentions of their sentence."""
    gone = set(indices)
    mentions = rows["mentions"][:]
    for group in group_by_sentence(rows):
        if gone & set(group):
            own = _own_mentions(rows[index] for index in group if index not in gone)
            for index in group:
                mentions[index] = own
    feature = rows.features["mentions"]
    changed = rows.remove_columns("mentions").add_column("mentions", mentions, feature=feature)
    return changed.select([index for index in range(len(rows)) if index not in gone])


def _faults_of_sentence(collate: PairCollator, rows: dict[int, dict]) -> dict[int, str]:
    why = _fault(collate, list(rows.values()))
    if why is None:
        return {}
    alone = {index: _fault(collate, [{**row, "mentions": []}]) for index, row in rows.items()}
    faults = {index: fault for index, fault in alone.items() if fault is not None}
    if not faults:
        return dict.fromkeys(rows, why)
    others = {index: row for index, row in rows.items() if index not in faults}
    own = _own_mentions(others.values())
    together = _fault(collate, [{**row, "mentions": own} for row in others.values()]) if others else None
    return faults if together is None else faults | dict.fromkeys(others, together)


def _own_mentions(rows: Iterable[dict]) -> list[list[int]]:
    return [
        list(span) for span in sorted({tuple(row[n]) for row in rows for n in ("head_span", "tail_span") if n in row})
    ]


def _fault(collate: PairCollator, rows: list[dict]) -> str | None:
    try:
        collate(rows)
    except ValueError as error:
        return str(error).removesuffix(".")
    return None


def _add_to_report(path: Path, bad_lines: list[BadLine]) -> None:
    entries = ({"path": str(bad.path), "line": bad.line, "why": bad.why} for bad in bad_lines)
    with open(path, "a", encoding="utf-8") as report:
        report.writelines(json.dumps(entry) + "\n" for entry in entries)
