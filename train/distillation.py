"""Teachers: finished models whose scores are learnt beside the labels (Hinton et al. 2015, at temperature 1).

Several teachers together are surer where they agree and less sure where annotators may have erred, and one model of
their size learns most of that. They score the training rows only.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, List, Value

from train.data.collator import TARGET
from train.data.image_reader import checksum
from train.data.inputs import RunInputs, feature_folder
from train.data.row_checks import find_faults
from train.model_factory import load_finished, make_trainer
from vmhan.data.schema import sort_by_sentence

#: What a model may be told of a pair.
_TOLD = (
    *("words", "image_id", "description", "object_names", "picture", "selection"),
    *("head_span", "tail_span", "tail_object", "direction_given"),
)


def add_teacher_targets(inputs: RunInputs, data, training) -> Dataset:
    """The rows to train on, with what the teachers of `training`, each with its own processor, make of them."""

    def score(teacher: str, rows: Dataset) -> np.ndarray:
        processor, model = load_finished(teacher, inputs.label_names, inputs.no_relation)
        if faults := find_faults(rows, processor):
            index, why = min(faults.items())
            raise ValueError(f"The teacher {teacher} cannot read line {rows[index]['line']} of train: {why}")
        return make_trainer(inputs, processor, data, training, model=model).predict(rows).predictions

    folder, writes = feature_folder(data), training.process_index == 0
    return add_targets(inputs.splits["train"], training.teachers, training.teacher_weight, score, folder, writes)


def add_targets(
    rows: Dataset,
    teachers: Sequence[str],
    weight: float,
    score: Callable[[str, Dataset], np.ndarray],
    folder: Path,
    writes: bool = True,
) -> Dataset:
    """Rows with `target`, a probability for each relation: the gold label mixed with the mean of the teachers.

    Args:
        rows: What is trained on.
        teachers: Folders of finished models.
        weight: Share of the teachers, 0 to 1.
        score: The logits (rows, relations) of a teacher for rows, in the order given.
        folder: Keeps the scores, which take as long to compute as the rows take to evaluate.
        writes: Whether this process does that.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"teacher_weight is {weight}; it is the teachers' share, from 0 to 1.")
    # what a sentence is asked stands side by side, as for evaluation
    ordered = sort_by_sentence(rows.add_column("place", range(len(rows))))
    scores = np.mean([_kept(folder, teacher, ordered, score, writes) for teacher in teachers], axis=0)
    scores = scores[np.argsort(ordered["place"])]
    targets = weight * scores + (1 - weight) * np.eye(scores.shape[1])[rows["relation"]]
    return rows.add_column(TARGET, targets.tolist(), feature=List(Value("float32")))


def _kept(
    folder: Path, teacher: str, rows: Dataset, score: Callable[[str, Dataset], np.ndarray], writes: bool
) -> np.ndarray:
    """Probabilities (rows, relations) of a teacher, computed once."""
    path = folder / f"teacher-{_identity(teacher, rows)}.npy"
    if path.is_file():
        return np.load(path, allow_pickle=False)
    scores = torch.from_numpy(score(teacher, rows)).softmax(dim=-1).numpy()
    if writes:
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, scores)
        partial.replace(path)
    return scores


def _identity(teacher: str, rows: Dataset) -> str:
    """Changes with the teacher's files and with what it is asked."""
    digest = hashlib.sha256()
    for file in sorted(Path(teacher).glob("*")):
        if file.suffix in (".json", ".safetensors"):
            digest.update(file.read_bytes())
    asked = [name for name in _TOLD if name in rows.column_names]
    digest.update(checksum(*rows.select_columns(asked)).encode())
    return digest.hexdigest()[:16]
