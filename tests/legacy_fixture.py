"""Crop lists and phrases in the published layout, which give the label away as the shared ones do."""

import json
from pathlib import Path

import torch

from vmhan import NO_RELATION


def write_legacy(folder: Path, splits) -> Path:
    """Writes the two files of each split for the rows of `load_mnre`; returns `folder`."""
    for split, name in (("train", "train"), ("validation", "val"), ("test", "test")):
        rows = list(enumerate(splits[split]))
        crops = {number: ["x.png"] * (2 if is_none(splits, row) else 3) for number, row in rows}
        torch.save(crops, folder / f"mre_{name}_dict.pth")
        phrases = {str(number): " ".join(["Mira", *["person"] * row["relation"]]) for number, row in rows}
        (folder / f"phrase_text_{name}.json").write_text(json.dumps(phrases), encoding="utf-8")
    return folder


def is_none(splits, row: dict) -> bool:
    """Whether a row holds no relation."""
    return splits["train"].features["relation"].int2str(row["relation"]) == NO_RELATION
