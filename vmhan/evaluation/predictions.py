"""The predictions of a run for every row, in `<run>.predictions.json.gz` beside its result file.

A row is identified by its line in the split's text file, whose checksum the file holds too, and by the number of its
sentence. No text of the data is stored, so the file may be shared where the data may not.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from datasets import Dataset
from torch import nn

from vmhan import VMHANConfig
from vmhan.data.files import atomic_write
from vmhan.data.schema import find_no_relation, group_by_sentence, is_symmetric, no_relation_of
from vmhan.evaluation.mode_logits import ModeLogits, found_labels
from vmhan.temperature import calibrated_scores

SUFFIX = ".predictions.json.gz"
TOP = 3  # labels of a row that are stored with their scores
_DIGITS = 4


@dataclass
class SplitPredictions:
    """The rows of a split in the order of their lines; every array begins with `(pairs,)`.

    Args:
        line: Line of the row in the split's file, from 1.
        sentence: Number of its sentence and image; pairs of one sentence share it.
        gold: Label id.
        top: `(pairs, top)`, the likeliest label ids, the predicted one first.
        scores: `(pairs, top)`, their probabilities, rounded.
        direction_unknown: `(pairs,)`, the predicted label id with the direction unknown; the number of labels is the
            id of a relation predicted the wrong way round. None where tails are objects, so that there is one mode.
        unknown_top, unknown_scores: `(pairs, top)`, label ids and probabilities of the chosen direction; None in old
            files.
        uncalibrated, unknown_uncalibrated: `(pairs,)`, the probability of the predicted label in `scores` and in
            `unknown_scores` without the model's temperatures; None in old files.
    """

    line: np.ndarray
    sentence: np.ndarray
    gold: np.ndarray
    top: np.ndarray
    scores: np.ndarray | None
    direction_unknown: np.ndarray | None = None
    unknown_top: np.ndarray | None = None
    unknown_scores: np.ndarray | None = None
    uncalibrated: np.ndarray | None = None
    unknown_uncalibrated: np.ndarray | None = None

    @property
    def predicted(self) -> np.ndarray:
        """`(pairs,)`, the predicted label ids."""
        return self.top[:, 0]

    @property
    def confidence(self) -> np.ndarray | None:
        """`(pairs,)`, the probability of the predicted label; None without scores."""
        return None if self.scores is None else self.scores[:, 0]


@dataclass
class RunPredictions:
    """A predictions file.

    Args:
        label_names: The relations, by id.
        data: As in the result file, checksums of what the rows were read from.
        weights: sha256 of the model's weights, the same for evaluations of one model.
        splits: The rows of each split.
        no_relation: The negative label; by default, as in old files, it is found among the others.
    """

    label_names: list[str]
    data: dict[str, str]
    weights: str
    splits: dict[str, SplitPredictions]
    no_relation: str = ""

    def __post_init__(self):
        self.no_relation = find_no_relation(self.label_names, self.no_relation or None)

    @property
    def none_id(self) -> int:
        """The id of the negative label."""
        return self.label_names.index(self.no_relation)


def predictions_of(
    dataset: Dataset,
    logits: ModeLogits,
    label_names: Sequence[str],
    config: VMHANConfig,
    annotation_style: int | None = None,
) -> SplitPredictions:
    """Builds the predictions of a split from its logits; scores are those that the pipeline returns.

    Args:
        dataset: The rows, in the order of the logits.
        logits: Of both modes.
        label_names: The relations, by id.
        config: With the temperatures.
        annotation_style: Index into its `annotation_styles` that the pairs were scored in; by default the first.
    """
    order = np.argsort(dataset["line"], kind="stable")
    sorted_rows = dataset.select(order)
    sentence = np.empty(len(dataset), dtype=int)
    for number, rows in enumerate(group_by_sentence(sorted_rows)):
        sentence[rows] = number
    given = _top_labels(logits.given[order], True, config, annotation_style)
    predictions = SplitPredictions(
        line=np.array(sorted_rows["line"]),
        sentence=sentence,
        gold=np.array(sorted_rows["relation"]),
        top=given.labels,
        scores=given.scores,
        uncalibrated=given.uncalibrated,
    )
    if logits.chosen is None or logits.turned is None:
        return predictions
    chosen = _top_labels(logits.chosen[order], False, config, annotation_style)
    none_id = label_names.index(no_relation_of(dataset.features["relation"]))
    found = found_labels(chosen.labels, logits.turned[order], none_id, is_symmetric(label_names))
    return replace(
        predictions,
        direction_unknown=found[:, 0],
        unknown_top=found,
        unknown_scores=chosen.scores,
        unknown_uncalibrated=chosen.uncalibrated,
    )


class _TopLabels(NamedTuple):
    """The likeliest labels, `(pairs, top)`, their probabilities, and that of the first without temperatures."""

    labels: np.ndarray
    scores: np.ndarray
    uncalibrated: np.ndarray


def _top_labels(logits: np.ndarray, direction_given: bool, config: VMHANConfig, style: int | None) -> _TopLabels:
    calibrated = calibrated_scores(torch.from_numpy(logits), direction_given, config, style)  # (pairs, labels)
    scores = calibrated.double().numpy()
    uncalibrated = torch.from_numpy(logits).double().softmax(dim=-1).amax(dim=-1).numpy()  # (pairs,)
    labels = np.argsort(-logits, axis=-1, kind="stable")[:, :TOP]  # (pairs, top)
    scores = np.take_along_axis(scores, labels, axis=-1)  # (pairs, top)
    return _TopLabels(labels, scores.round(_DIGITS), uncalibrated.round(_DIGITS))


def predictions_path(result: str | Path) -> Path:
    """Returns the path of the predictions of a result file."""
    return Path(result).with_suffix(SUFFIX)


def write_predictions(path: Path, predictions: RunPredictions) -> None:
    """Writes a file that is the same, byte for byte, for the same predictions."""
    content = {name: getattr(predictions, name) for name in ("label_names", "no_relation", "data", "weights")}
    content["splits"] = {
        name: {
            field.name: values.tolist()
            for field in fields(split)
            if (values := getattr(split, field.name)) is not None
        }
        for name, split in predictions.splits.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_bytes(gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0))


def read_predictions(path: Path) -> RunPredictions:
    """Reads what `write_predictions` wrote.

    Raises:
        FileNotFoundError: Names the command that makes the file.
        ValueError: The file is something else, or broken.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; make it with train/run.py <settings> --checkpoint <model> "
            f"--complete_result {path.name.removesuffix(SUFFIX)}.json."
        )
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
        content["splits"] = {
            name: SplitPredictions(**{key: np.array(values) for key, values in split.items()})
            for name, split in content["splits"].items()
        }
        return RunPredictions(**content)
    except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is no predictions file: {error}") from error


def weights_checksum(model: nn.Module) -> str:
    """Computes the sha256 over the names and values of a model's weights."""
    return tensors_checksum(model.state_dict())


def tensors_checksum(tensors: Mapping[str, torch.Tensor]) -> str:
    """Computes the sha256 over names and values; tensors of another precision have another checksum."""
    checksum = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        checksum.update(name.encode())
        checksum.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return checksum.hexdigest()
