"""What a run predicted for every row, in `<run>.predictions.json.gz` beside its result file.

A row is named by its line in the split's text file, whose checksum stands there too, and by the number of its
sentence. No text of the data is kept, so the file may be shared where the data may not.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from torch import nn

from vmhan import VMHANConfig
from vmhan.data.schema import find_no_relation, group_by_sentence, is_symmetric, no_relation_of
from vmhan.evaluation.metrics import WRONG_DIRECTION, relation_metrics
from vmhan.evaluation.mode_logits import ModeLogits, found_labels
from vmhan.temperature import calibrated_scores

SUFFIX = ".predictions.json.gz"
TOP = 3  # labels of a row whose scores are kept
_DIGITS = 4
_UNROUNDED = 1e-9


@dataclass
class SplitPredictions:
    """The rows of a split in the order of their lines; every array begins with `(pairs,)`.

    Args:
        line: Line of the row in the split's file, from 1.
        sentence: Number of its sentence and image; pairs of one sentence share it.
        gold: Label id.
        top: `(pairs, top)`, the likeliest label ids, the predicted one first.
        scores: `(pairs, top)`, their probabilities, rounded.
        direction_unknown: Label id that is found where the direction is not given; the number of labels stands for
            a relation found the wrong way round; None where tails are objects, so that there is but one.
        unknown_top, unknown_scores: Likewise `(pairs, top)`, label ids and probabilities of the direction that is
            chosen; None in files that were written before there were any.
        uncalibrated, unknown_uncalibrated: `(pairs,)`, what the probability of the predicted label in `scores` and in
            `unknown_scores` is without the model's temperatures; None in files that were written before.
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
        """`(pairs,)`, the probability of the predicted label; None where scores are not at hand."""
        return None if self.scores is None else self.scores[:, 0]


@dataclass
class RunPredictions:
    """A predictions file.

    Args:
        label_names: The relations, by id.
        data: As in the result file, checksums of what the rows were read from.
        weights: sha256 of the model's weights, which tells which evaluations are of one model.
        splits: The rows of each split.
        no_relation: The negative label; old files do not name it, and it is found among the others.
    """

    label_names: list[str]
    data: dict[str, str]
    weights: str
    splits: dict[str, SplitPredictions]
    no_relation: str | None = None

    def __post_init__(self):
        self.no_relation = find_no_relation(self.label_names, self.no_relation)

    @property
    def none_id(self) -> int:
        """Its id."""
        return self.label_names.index(self.no_relation)


def predictions_of(
    dataset: Dataset, logits: ModeLogits, label_names: Sequence[str], config: VMHANConfig
) -> SplitPredictions:
    """What is kept of the logits of a split's rows; scores are those that the pipeline tells."""
    order = np.argsort(dataset["line"], kind="stable")
    sorted_rows = dataset.select(order)
    sentence = np.empty(len(dataset), dtype=int)
    for number, rows in enumerate(group_by_sentence(sorted_rows)):
        sentence[rows] = number
    top, scores, uncalibrated = _likeliest(logits.given[order], True, config)
    kept = SplitPredictions(
        line=np.array(sorted_rows["line"]),
        sentence=sentence,
        gold=np.array(sorted_rows["relation"]),
        top=top,
        scores=scores,
        uncalibrated=uncalibrated,
    )
    if logits.chosen is None:
        return kept
    top, scores, uncalibrated = _likeliest(logits.chosen[order], False, config)
    none_id = label_names.index(no_relation_of(dataset.features["relation"]))
    found = found_labels(top, logits.turned[order], none_id, is_symmetric(label_names))
    return replace(
        kept,
        direction_unknown=found[:, 0],
        unknown_top=found,
        unknown_scores=scores,
        unknown_uncalibrated=uncalibrated,
    )


def _likeliest(
    logits: np.ndarray, direction_given: bool, config: VMHANConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids of the likeliest labels, `(pairs, top)`, their probabilities, and that of the first without temperatures."""
    scores = calibrated_scores(torch.from_numpy(logits), direction_given, config).double().numpy()
    top = np.argsort(-logits, axis=-1, kind="stable")[:, :TOP]
    plain = torch.from_numpy(logits).double().softmax(dim=-1).amax(dim=-1).numpy().round(_DIGITS)
    kept = np.take_along_axis(scores, top, axis=-1).round(_DIGITS)
    return top, kept, plain


def predictions_path(result: str | Path) -> Path:
    """Where the predictions of a result file lie."""
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
    partial = path.with_suffix(".partial")
    partial.write_bytes(gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0))
    partial.replace(path)


def read_predictions(path: Path) -> RunPredictions:
    """Reads what `write_predictions` wrote.

    Raises:
        FileNotFoundError: Says how to make the file.
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
        checksum.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return checksum.hexdigest()


def differences(predictions: RunPredictions, result: dict) -> Iterator[str]:
    """Where predictions do not score what a result file says, or are of other data; nothing if they belong to it."""
    if predictions.data != result["data"]:
        yield f"the data are {predictions.data}, the result's are {result['data']}"
    for name, split in predictions.splits.items():
        told = result["metrics"].get(name, {})
        yield from _differing_scores(f"of {name}", _score(split.predicted, split, predictions), told)
        if split.direction_unknown is not None:
            scored = _score(split.direction_unknown, split, predictions)
            del scored["macro_f1"]  # for which old files take what is found the wrong way round for one relation more
            where = f"of {name}, direction unknown,"
            yield from _differing_scores(where, scored, told.get("direction_unknown", {}))


def _score(found: np.ndarray, split: SplitPredictions, of: RunPredictions) -> dict[str, float]:
    return relation_metrics(found, split.gold, [*of.label_names, WRONG_DIRECTION], of.no_relation)


def _differing_scores(where: str, scored: dict[str, float], told: dict) -> Iterator[str]:
    for metric, value in scored.items():
        known = told.get(metric)
        if known is None or abs(known - value) > _UNROUNDED:
            yield f"{metric} {where} is {value}, the result says {known}"
