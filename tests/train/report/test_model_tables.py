"""Models as users meet them, beside each other: everything out of result files."""

import copy
from functools import partial
from statistics import mean, stdev

import numpy as np
import pytest
from finished_fixture import LABELS, cells, finished_run
from sklearn.metrics import roc_auc_score

from train.report.model_tables import model_tables
from vmhan.evaluation.metrics import WRONG_DIRECTION, relation_metrics

SETTINGS = {"data": {}, "model": {"entity_markers": "shared", "structure_encoder": "vhan"}}
spread = "{:.1f} ± {:.1f}".format


def trained(name: str, seed: int, hits: int, setting: str = "described", **of_result):
    """A run of `mnre-mini` whose confidences are invented, the same with the direction given and unknown."""
    run = finished_run(name, seed, hits)
    run.name = f"mnre-mini/{name}-seed{seed}"
    run.result |= {"visual_setting": setting, "control": "none", **of_result}
    run.result["config"] = {**SETTINGS, "training": {**run.result["config"]["training"], "learning_rate": len(name)}}
    rows = run.predictions.splits["test"]
    confidence = np.random.default_rng(seed).uniform(0.3, 1, size=(len(rows.gold), 1)).round(4)
    rows.scores, rows.unknown_scores, rows.unknown_top = confidence, confidence, rows.direction_unknown[:, None]
    run.predictions.weights = f"{name}-{seed}"
    return run


def line(tables: dict[str, str], ends: str, table: str = "models-mnre") -> dict[str, str]:
    head, _, *lines = tables[table].splitlines()
    (found,) = [line for line in lines if line.split("|")[1].strip().endswith(ends)]
    return dict(zip(*([cell.strip() for cell in row.strip("|").split("|")] for row in (head, found)), strict=True))


@pytest.fixture
def runs():
    return [trained("old", seed, 300 + 10 * seed) for seed in (1, 2)] + [trained("newer", 1, 380)]


def test_scores_and_confidences_are_those_of_the_predictions_in_the_mode_of_users(runs):
    found = line(model_tables(runs, []), "old")
    of_old = [run.predictions.splits["test"] for run in runs[:2]]
    names = [*LABELS, WRONG_DIRECTION]
    scored = [relation_metrics(rows.direction_unknown, rows.gold, names) for rows in of_old]
    assert found["seeds"] == "2"
    for column, metric in (("F1", "f1"), ("macro F1", "macro_f1")):
        values = [100 * of[metric] for of in scored]
        assert found[column] == spread(mean(values), stdev(values))
    given = [100 * relation_metrics(rows.top[:, 0], rows.gold, names)["f1"] for rows in of_old]
    assert found["F1, direction given"] == spread(mean(given), stdev(given))
    right = [rows.direction_unknown == rows.gold for rows in of_old]
    areas = [100 * roc_auc_score(ok, rows.scores[:, 0]) for ok, rows in zip(right, of_old, strict=True)]
    assert found["AUROC"] == spread(mean(areas), stdev(areas))


def test_calibration_error_is_that_of_relations_that_are_named(runs):
    rows = runs[2].predictions.splits["test"]
    named, right = rows.direction_unknown != 0, rows.direction_unknown == rows.gold
    error = 0.0
    for low in range(15):
        kept = named & (low / 15 < rows.scores[:, 0]) & (rows.scores[:, 0] <= (low + 1) / 15)
        error += abs(rows.scores[kept, 0].sum() - right[kept].sum()) / named.sum()
    assert line(model_tables(runs, []), "newer")["calibration error of relations"] == f"{100 * error:.1f}"


def test_plain_sentences_belong_to_the_weights_that_answered_them(runs):
    def answered(weights, right, **halves):
        counts = {"all": {"sentences": 45, "right": right}}
        return {"weights": weights, "development": counts, **dict.fromkeys(halves, counts)}

    plain = [answered("old-1", 20), answered("newer-1", 40, once=True), answered("another", 45)]
    plain.append({**answered("newer-1", 1), "chosen_style": "mnre"})
    tables = model_tables(runs, plain)
    old, new = line(tables, "old"), line(tables, "newer")
    assert old["plain sentences, development"] == "20.0 of 45 (1 of the seeds)" and not old["plain sentences, once"]
    assert new["plain sentences, development"] == new["plain sentences, once"] == "40.0 of 45"


def held_out(f1: float) -> dict:
    scores = {"rows": 1200, "related": 700, "f1": f1, "direction_unknown": {"f1": f1 - 0.1}}
    return {"first": copy.deepcopy(scores), "second": {**scores, "f1": 0.9}, "together": scores}


def test_held_out_documents_stand_for_each_corpus_in_both_modes(runs):
    runs[2].result["metrics"]["test"]["corpora"] = held_out(0.7)
    tables = model_tables(runs, [])
    assert line(tables, "newer")["held-out F1"] == "60.0" and line(tables, "old")["held-out F1"] == ""
    of_corpus = partial(cells, tables["held-out-mnre"])
    assert of_corpus("first") == ["first", "1,200", "700", "60.0", "70.0"]
    assert of_corpus("second")[3:] == ["60.0", "90.0"] and of_corpus("all of them")[3:] == ["60.0", "70.0"]


def test_without_held_out_documents_there_is_no_table_of_them(runs):
    assert list(model_tables(runs, [])) == ["models-mnre"]


def test_only_inputs_that_users_have_are_shown(runs):
    shown = model_tables(runs, [])["models-mnre"]
    others = [trained("other", 1, 300, control="shuffled_images"), trained("objects", 1, 300, "object_names")]
    assert model_tables([*runs, *others, trained("leaks", 1, 399, protocol="leaking")], [])["models-mnre"] == shown
