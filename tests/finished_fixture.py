"""Runs with invented predictions, and the cells of the tables that are made of them."""

import numpy as np

from train.finished_runs import Run
from train.metrics import relation_metrics
from train.predictions import RunPredictions, SplitPredictions

LABELS = ["None", "a"]
RELATED, UNRELATED = 400, 600


def finished_run(name, seed, hits, alarms=40) -> Run:
    """One with `hits` of the related rows and `alarms` false alarms, each row a sentence."""
    gold = np.repeat([1, 0], [RELATED, UNRELATED])
    predicted = np.repeat([1, 0, 1, 0], [hits, RELATED - hits, alarms, UNRELATED - alarms])
    rows = np.arange(len(gold))
    split = SplitPredictions(rows + 1, rows, gold, predicted[:, None], np.ones((len(gold), 1)))
    result = {
        "seed": seed,
        "protocol": "clean",
        "config": {"training": {"run_name": f"{name}-seed{seed}"}},
        "metrics": {"test": relation_metrics(predicted, gold, LABELS)},
    }
    return Run(f"mnre-ablations/{name}-seed{seed}", result, RunPredictions(LABELS, {}, "", {"test": split}))


def cells(table, name):
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]
