"""Runs `train/run.py` and writes down which training rows this process took, and which files it wrote.

python tests/watched_training.py <folder> <words of train/run.py ...>
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from train import results, run
from train.data.collator import PairCollator
from train.trainer import PairTrainer

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


if __name__ == "__main__":
    PairCollator.__call__, PairTrainer.train, results.write_result = watched_collate, watched_train, watched_write
    run.main(sys.argv[2:])
    seen = {"batches": batches, "written": written}
    (Path(sys.argv[1]) / f"rank{os.environ.get('RANK', 0)}.json").write_text(json.dumps(seen), encoding="utf-8")
