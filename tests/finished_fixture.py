"""Runs with invented predictions, and the cells of the tables that are made of them."""

import numpy as np

from vmhan.evaluation.metrics import WRONG_DIRECTION, relation_metrics
from vmhan.evaluation.predictions import RunPredictions, SplitPredictions
from vmhan.evaluation.runs import Run

LABELS = ["None", "a"]
RELATED, UNRELATED = 400, 600
TURNED = 100  # of the hits, found the wrong way round where the direction is unknown


def finished_run(name, seed, hits, alarms=40) -> Run:
    """One with `hits` of the related rows and `alarms` false alarms, each row a sentence, where directions are given.

    Where they are unknown, `TURNED` hits fewer. Scores on validation are those of test.
    """
    gold = np.repeat([1, 0], [RELATED, UNRELATED])
    predicted = np.repeat([1, 0, 1, 0], [hits, RELATED - hits, alarms, UNRELATED - alarms])
    found = np.where(np.arange(len(gold)) < TURNED, len(LABELS), predicted)
    rows = np.arange(len(gold))
    split = SplitPredictions(rows + 1, rows, gold, predicted[:, None], np.ones((len(gold), 1)), found)
    unknown = relation_metrics(found, gold, [*LABELS, WRONG_DIRECTION])
    scores = {**relation_metrics(predicted, gold, LABELS), "direction_unknown": unknown}
    result = {
        "seed": seed,
        "protocol": "clean",
        "config": {"training": {"run_name": f"{name}-seed{seed}"}},
        "metrics": {"validation": scores, "test": scores},
    }
    return Run(f"mnre-ablations/{name}-seed{seed}", result, RunPredictions(LABELS, {}, "", {"test": split}))


def cells(table, name):
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]
