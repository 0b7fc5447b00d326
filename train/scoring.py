"""Scores of a split: its metrics in both modes, and the prediction for each row."""

import numpy as np
import torch
from datasets import Dataset
from transformers import Trainer

from train.data.directions import evaluation_rows
from vmhan import VMHANConfig
from vmhan.configuration_vmhan import DIRECTION_GIVEN, DIRECTION_UNKNOWN
from vmhan.data.schema import is_symmetric, no_relation_of
from vmhan.evaluation.calibration import fit_temperatures
from vmhan.evaluation.metrics import WRONG_DIRECTION, per_relation_metrics
from vmhan.evaluation.mode_logits import ModeLogits, both_modes_metrics, found_labels
from vmhan.evaluation.predictions import SplitPredictions, predictions_of
from vmhan.losses import relation_loss


def predict_split(trainer: Trainer, dataset: Dataset, label_names: list[str], prefix: str) -> ModeLogits:
    """Computes the logits of every pair in both modes, in one pass over the sentences.

    Args:
        trainer: Holds the model.
        dataset: The split.
        label_names: The relations, by id.
        prefix: The split's name.
    """
    rows = evaluation_rows(dataset)
    modes = rows.split(trainer.predict(rows.rows, metric_key_prefix=prefix).predictions)
    if rows.modes == 1:
        return ModeLogits(*modes)
    return ModeLogits.choose_direction(*modes, label_names.index(no_relation_of(dataset.features["relation"])))


def fit_mode_temperatures(logits: ModeLogits, dataset: Dataset, annotated: np.ndarray | None = None) -> dict:
    """Fits the `temperatures` of both modes, on the logits of validation.

    Args:
        logits: As `predict_split` returns them.
        dataset: That split.
        annotated: True for the labels that the corpus of a pair marks, (pairs, labels); of a pair that is predicted to
            have another relation nothing is known. By default all.
    """
    labels, relations = np.array(dataset["relation"]), dataset.features["relation"]
    none_id, symmetric = relations.str2int(no_relation_of(relations)), is_symmetric(relations.names)

    def fit(of_mode: np.ndarray, found: np.ndarray) -> dict:
        predicted, known = of_mode.argmax(axis=-1), np.ones(len(labels), dtype=bool)
        if annotated is not None:
            known = annotated[np.arange(len(labels)), predicted] | (predicted == none_id)
        return fit_temperatures(of_mode[known], found[known], labels[known], none_id)

    given = fit(logits.given, logits.given.argmax(axis=-1))
    if logits.chosen is None or logits.turned is None:
        return {DIRECTION_GIVEN: given}
    found = found_labels(logits.chosen.argmax(axis=-1), logits.turned, none_id, symmetric)
    return {DIRECTION_GIVEN: given, DIRECTION_UNKNOWN: fit(logits.chosen, found)}


def score_split(
    logits: ModeLogits,
    dataset: Dataset,
    label_names: list[str],
    config: VMHANConfig,
    annotation_style: int | None = None,
) -> tuple[dict, SplitPredictions]:
    """Computes the metrics with the direction given, over all relations and for each, and with it unknown.

    Args:
        logits: As `predict_split` returns them.
        dataset: The split.
        label_names: The relations, by id.
        config: The model's, with its temperatures.
        annotation_style: Index of the one that the pairs were scored in.

    Returns:
        The metrics for the result file, direction unknown under `"direction_unknown"`, and the predictions.
    """
    labels, no_relation = np.array(dataset["relation"]), no_relation_of(dataset.features["relation"])
    given, unknown, found = both_modes_metrics(logits, labels, label_names, no_relation, is_symmetric(label_names))
    metrics = {
        "rows": len(dataset),
        "loss": float(relation_loss(torch.from_numpy(logits.given), torch.from_numpy(labels))),
        **given,
        "per_relation": per_relation_metrics(logits.given.argmax(axis=-1), labels, label_names, no_relation),
    }
    if unknown is not None:
        with_wrong = [*label_names, WRONG_DIRECTION]
        per_relation = per_relation_metrics(found, labels, with_wrong, no_relation)
        metrics["direction_unknown"] = {**unknown, "per_relation": per_relation}
    return metrics, predictions_of(dataset, logits, label_names, config, annotation_style)
