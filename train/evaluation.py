"""Scores a split: its metrics, and what was predicted for each row."""

import numpy as np
import torch
from datasets import Dataset
from transformers import Trainer

from train.batching import sort_by_sentence
from train.directions import SYMMETRIC, add_undirected
from train.metrics import choose_direction, per_relation_metrics, relation_metrics
from train.predictions import SplitPredictions, predictions_of
from vmhan import NO_RELATION
from vmhan.objectives import relation_loss


def evaluate(trainer: Trainer, dataset: Dataset, label_names: list[str], prefix: str) -> tuple[dict, SplitPredictions]:
    """Metrics over all relations, per relation, and over all where the direction has to be found too; predictions."""
    rows = add_undirected(dataset)  # all that a sentence is asked, in one pass
    rows = sort_by_sentence(rows.add_column("place", range(len(rows))))
    logits = trainer.predict(rows, metric_key_prefix=prefix).predictions[np.argsort(rows["place"])]
    given, as_annotated, turned = np.split(logits, 3)
    labels = np.array(dataset["relation"])
    symmetric = [name in SYMMETRIC for name in label_names]
    found = choose_direction(as_annotated, turned, label_names.index(NO_RELATION), symmetric)
    metrics = {
        "rows": len(dataset),
        "loss": float(relation_loss(torch.from_numpy(given), torch.from_numpy(labels))),
        **relation_metrics(given.argmax(axis=-1), labels, label_names, NO_RELATION),
        "per_relation": per_relation_metrics(given.argmax(axis=-1), labels, label_names, NO_RELATION),
        "direction_unknown": relation_metrics(found, labels, [*label_names, "wrong direction"], NO_RELATION),
    }
    return metrics, predictions_of(dataset, given, found)
