"""Teachers: finished models whose scores are learned beside the labels (Hinton et al. 2015, at temperature 1).

Several teachers together are surer where they agree and less sure where annotators may have erred, and one model of
their size learns most of that. They score the training rows only.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, List, Value, concatenate_datasets

from train.arguments import RunConfig
from train.data.collator import TEACHER_TARGETS
from train.data.corpora import NO_PAIR, SOURCE, Source
from train.data.row_checks import find_faults
from train.data.run_inputs import RunInputs
from train.model_factory import build_trainer, load_finished
from vmhan.data.disk_cache import DiskCache, checksum
from vmhan.data.files import file_checksum
from vmhan.data.schema import sort_by_sentence

#: Computes the logits (rows, relations) of a teacher for rows, in the order given.
Score = Callable[[str, Dataset], np.ndarray]
_FLOOR = 1e-6  # a teacher may rule out all candidates
#: The columns that a model may see of a pair.
_INPUT_COLUMNS = (
    *("words", "image_id", "description", "object_names", "image_key", "selection"),
    *("head_span", "tail_span", "tail_object", "direction_given", SOURCE),
)


def add_teacher_targets(inputs: RunInputs, config: RunConfig) -> None:
    """Adds to the training rows the scores of the teachers, each with its own processor, mixed with the labels.

    Raises:
        ValueError: A teacher has other relations, or cannot read a row.
    """

    def score(teacher: str, rows: Dataset) -> np.ndarray:
        processor, model = load_finished(teacher, inputs.label_names, inputs.no_relation)
        if faults := find_faults(rows, processor):
            index, why = min(faults.items())
            raise ValueError(f"The teacher {teacher} cannot read line {rows[index]['line']} of train: {why}")
        return build_trainer(config, inputs, processor, model=model).predict(rows).predictions

    training, cache = config.training, DiskCache(config.data.cache_folder / "teachers")
    rows, writes = inputs.splits["train"], training.process_index == 0
    pairs, others = split_by_pair(rows)
    candidates = candidates_of_rows(pairs, inputs.sources)
    taught = mix_targets(pairs, training.teachers, training.teacher_weight, score, cache, candidates, writes)
    inputs.splits["train"] = concatenate_datasets([taught, others]) if len(others) else taught


def mix_targets(
    rows: Dataset,
    teachers: Sequence[str],
    weight: float,
    score: Score,
    cache: DiskCache,
    candidates: np.ndarray | None = None,
    writes: bool = True,
) -> Dataset:
    """Adds a probability for each relation: the gold label mixed with the mean of the teachers.

    Where the gold label is one of several candidates, the teachers say how likely each of these is.

    Args:
        rows: The training rows.
        teachers: Folders of finished models.
        weight: Share of the teachers, 0 to 1.
        score: Computes the logits of a teacher.
        cache: Stores the scores, which take as long to compute as the rows take to evaluate.
        candidates: True for the labels that the gold one may be, (rows, relations); by default that of the row.
        writes: True in the one process that stores them.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"teacher_weight is {weight}; it is the teachers' share, from 0 to 1.")
    # the pairs of a sentence stand side by side, as for evaluation
    ordered = sort_by_sentence(rows.add_column("index", range(len(rows))))
    scores = np.mean([_probabilities(teacher, ordered, score, cache, writes) for teacher in teachers], axis=0)
    scores = scores[np.argsort(ordered["index"])]  # (rows, relations)
    gold = np.eye(scores.shape[1], dtype=bool)[rows["relation"]] if candidates is None else candidates
    among = np.where(gold, scores + _FLOOR, 0)  # (rows, relations)
    targets = weight * scores + (1 - weight) * among / among.sum(axis=1, keepdims=True)
    return rows.add_column(TEACHER_TARGETS, targets.tolist(), feature=List(Value("float32")))


def split_by_pair(rows: Dataset) -> tuple[Dataset, Dataset]:
    """Splits rows into those of pairs and those of sentences whose entities are to be found."""
    has_pair = np.array(rows["relation"]) != NO_PAIR
    return rows.select(np.flatnonzero(has_pair)), rows.select(np.flatnonzero(~has_pair))


def candidates_of_rows(rows: Dataset, sources: Sequence[Source]) -> np.ndarray | None:
    """Finds the labels that the gold one of each row may be, (rows, relations); None without sources."""
    if not sources:
        return None
    none = np.zeros_like(sources[0].candidates)  # a corpus of mentions has no pairs, and no row here
    by_source = np.stack([none if source.candidates is None else source.candidates for source in sources])
    return by_source[np.array(rows[SOURCE]), np.array(rows["relation"])]


def _probabilities(teacher: str, rows: Dataset, score: Score, cache: DiskCache, writes: bool) -> np.ndarray:
    """Computes the probabilities (rows, relations) of a teacher, or reads them from the cache."""
    key = checksum(_teacher_checksums(teacher), *_inputs_of(rows))
    if key in cache:
        return cache[key]
    probabilities = torch.from_numpy(score(teacher, rows)).softmax(dim=-1).numpy()
    if writes:
        cache.store({key: probabilities})
    return probabilities


def _teacher_checksums(teacher: str) -> list[str]:
    files = sorted(Path(teacher).glob("*"))
    return [file_checksum(file) for file in files if file.suffix in (".json", ".safetensors")]


def _inputs_of(rows: Dataset) -> Dataset:
    return rows.select_columns([name for name in _INPUT_COLUMNS if name in rows.column_names])
