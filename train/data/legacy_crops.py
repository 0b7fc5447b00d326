"""The field's shared per-row inputs for MNRE: crop lists and grounding phrases. They leak the gold label.

`mre_{split}_dict.pth` maps the row number of `mnre_{split}.txt` to names of crops, `phrase_text_{split}.json` to the
words that the crops were searched with. Whoever made them took these words from the label. They are read for the audit
and for the protocol `legacy-crops`, which serves comparison with print, and for nothing else.
"""

import json
from pathlib import Path

import torch

_FILE_SPLITS = {"train": "train", "validation": "val", "test": "test"}


def read_legacy_crops(folder: str | Path) -> dict[str, dict[str, list]]:
    """Reads, of each split, `"crops"` (a list of names for each row) and `"phrases"` (words for each row).

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is not a mapping of the row numbers 0, 1, 2, ...
    """
    files = legacy_files(folder)
    return {split: {role: _by_row(path) for role, path in of_split.items()} for split, of_split in files.items()}


def legacy_files(folder: str | Path) -> dict[str, dict[str, Path]]:
    """Names the two files of each split."""
    return {
        split: {
            "crops": Path(folder) / f"mre_{name}_dict.pth",
            "phrases": Path(folder) / f"phrase_text_{name}.json",
        }
        for split, name in _FILE_SPLITS.items()
    }


def words_beyond_names(crops: list[str], phrase: str) -> list[str]:
    """Finds the words of a phrase beyond the two entities: the last ones, one for each crop beyond two.

    >>> words_beyond_names(["a.png", "b.png", "c.png"], "Bill Cosby Hollywood Walk of Fame person")
    ['person']
    """
    more = max(len(crops) - 2, 0)
    return phrase.split()[-more:] if more else []


def _by_row(path: Path) -> list:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; give the folder of the shared crop lists and phrases.")
    if path.suffix == ".pth":
        entries = torch.load(path, weights_only=True)  # a pickle: of lists and strings alone
    else:
        entries = json.loads(path.read_text(encoding="utf-8"))
    by_row = {int(row): value for row, value in entries.items()} if isinstance(entries, dict) else {}
    if sorted(by_row) != list(range(len(by_row))) or not by_row:
        raise ValueError(f"{path} does not map the row numbers 0, 1, 2, ... to the entry of each row.")
    return [by_row[row] for row in range(len(by_row))]
