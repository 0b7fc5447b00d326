"""Scores a split: its metrics, and what was predicted for each row."""

import numpy as np
import torch
from datasets import Dataset
from transformers import Trainer

from train.batching import sort_by_sentence
from train.directions import SYMMETRIC, add_undirected
from train.metrics import choose_direction, per_relation_metrics, relation_metrics
from train.predictions import SplitPredictions, predictions_of
from vmhan.data_rows import find_no_relation, has_object_tails
from vmhan.objectives import relation_loss


def evaluate(trainer: Trainer, dataset: Dataset, label_names: list[str], prefix: str) -> tuple[dict, SplitPredictions]:
    """Metrics over all relations, per relation, and over all where the direction has to be found too; predictions.

    Where tails are objects of the image there is no direction to be found.
    """
    one_way = has_object_tails(dataset.column_names)
    rows = dataset if one_way else add_undirected(dataset)  # all that a sentence is asked, in one pass
    rows = sort_by_sentence(rows.add_column("place", range(len(rows))))
    logits = trainer.predict(rows, metric_key_prefix=prefix).predictions[np.argsort(rows["place"])]
    given, *both_ways = np.split(logits, 1 if one_way else 3)
    labels, no_relation = np.array(dataset["relation"]), find_no_relation(label_names)
    metrics = {
        "rows": len(dataset),
        "loss": float(relation_loss(torch.from_numpy(given), torch.from_numpy(labels))),
        **relation_metrics(given.argmax(axis=-1), labels, label_names, no_relation),
        "per_relation": per_relation_metrics(given.argmax(axis=-1), labels, label_names, no_relation),
    }
    if one_way:
        return metrics, predictions_of(dataset, given)
    symmetric = [name in SYMMETRIC for name in label_names]
    found = choose_direction(*both_ways, label_names.index(no_relation), symmetric)
    metrics["direction_unknown"] = relation_metrics(found, labels, [*label_names, "wrong direction"], no_relation)
    return metrics, predictions_of(dataset, given, found)
