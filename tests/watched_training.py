"""Runs `train/run.py`, and writes down the training rows of this process and the files it writes.

python tests/watched_training.py <folder> <words of train/run.py ...>
"""

import json
import os
import sys
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from train import results, run
from train.data.collator import PairCollator
from train.trainer import PairTrainer


def watch(folder: Path, words: list[str]) -> None:
    """Runs, and writes what was seen to `folder/rank<rank>.json`."""
    collate, train, write_result = PairCollator.__call__, PairTrainer.train, results.write_result
    batches, written = [], []

    def watched_collate(self, rows):
        if "_train_" in rows[0]["image_id"]:
            batches.append([row["line"] for row in rows])
        return collate(self, rows)

    def watched_train(self, *args, **kwargs):
        batches.clear()  # rows are checked before they are trained on
        return train(self, *args, **kwargs)

    def watched_write(path, result):
        written.append(str(path))
        write_result(path, result)

    with (
        patch.object(PairCollator, "__call__", watched_collate),
        patch.object(PairTrainer, "train", watched_train),
        patch.object(results, "write_result", watched_write),
    ):
        run.main(words)
    seen = {"batches": batches, "written": written}
    (folder / f"rank{os.environ.get('RANK', 0)}.json").write_text(json.dumps(seen), encoding="utf-8")


if __name__ == "__main__":
    watch(Path(sys.argv[1]), sys.argv[2:])
