"""Table 2 beside the paper's, out of whatever has been run."""

import json
from pathlib import Path

import pytest

from train import report
from train.ablation_tables import FULL, ROWS, ablations_table
from train.compare import settings_files
from train.published import ABLATIONS_MNRE

NAMES = ["None", "a"]


def result(name, seed, hits, alarms=40, misses=None, rows=1000, related=400):
    """A run with `hits` of `related` rows, `alarms` false alarms and no wrong relation."""
    misses = related - hits
    precision, recall = hits / (hits + alarms), hits / related
    split = {
        "f1": 2 * hits / (hits + alarms + related),
        "precision": precision,
        "recall": recall,
        "accuracy": (rows - alarms - misses) / rows,
        "none_accuracy": (rows - alarms - misses) / rows,
        "rows": rows,
        "per_relation": {"a": {"support": related}},
    }
    return {
        "seed": seed,
        "protocol": "clean",
        "config": {"training": {"run_name": f"{name}-seed{seed}"}},
        "metrics": {"test": split},
    }


def cells(table, name):
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_rows_are_those_of_the_paper_in_its_order_and_of_the_settings():
    assert list(ROWS.values()) == [row.name for row in ABLATIONS_MNRE]
    assert settings_files([Path("train/configs/mnre/ablations")]).keys() == {FULL, *ROWS}


def test_our_difference_stands_beside_the_paper():
    table = ablations_table([result("full", 1, 320), result("without_vhan", 1, 240), result("with_gat", 1, 318)])
    assert cells(table, "VM-HAN (full)")[1:3] == ["1", "84.2"]
    found = cells(table, "w/o V-HAN")
    assert found[1:3] == ["1", "70.6"] and found[4] == "-13.6" and found[6:] == ["-4.3", "yes"]
    low, high = map(float, found[5].split(" to "))
    assert low < -13.6 < high < 0
    assert cells(table, "repl. GAT")[-1] == "not seen"


def test_a_difference_of_the_other_sign_is_opposite():
    table = ablations_table([result("full", 1, 240), result("without_kl", 1, 320)])
    assert cells(table, "w/o KL Loss")[-2:] == ["-1.3", "opposite"]


def test_seeds_are_averaged_with_their_deviation():
    table = ablations_table([result("full", seed, hits) for seed, hits in ((1, 300), (2, 320), (3, 340))])
    assert cells(table, "VM-HAN (full)")[1] == "3" and " ± " in cells(table, "VM-HAN (full)")[2]


def test_rows_that_have_not_been_run_are_empty_but_keep_the_paper():
    table = ablations_table([result("with_gcn", 1, 300)])
    assert len(table.splitlines()) == 2 + 14
    assert cells(table, "w/o KL Loss") == ["w/o KL Loss", "0", "", "", "", "", "-1.3", ""]
    assert cells(table, "repl. GCN")[1:3] == ["1", "81.1"] and cells(table, "repl. GCN")[4:] == ["", "", "-4.8", ""]


def test_a_result_of_no_row_is_refused():
    with pytest.raises(ValueError, match="without_everything"):
        ablations_table([result("without_everything", 1, 300)])


def test_the_report_makes_it_from_its_folder(tmp_path, monkeypatch):
    (tmp_path / "mnre-ablations").mkdir()
    runs = [result("full", 1, 320), result("with_gat", 1, 300)]
    for run in runs:
        name = run["config"]["training"]["run_name"]
        (tmp_path / "mnre-ablations" / f"{name}.json").write_text(json.dumps(run))
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert report.make_tables() == {"mnre-ablations": ablations_table(runs)}
