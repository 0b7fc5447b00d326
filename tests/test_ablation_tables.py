"""Table 2 beside the paper's, out of whatever has been run."""

from pathlib import Path

import pytest
from finished_fixture import cells, finished_run

from train import report
from train.ablation_tables import FULL, ROWS, ablations_table
from train.compare import settings_files
from train.predictions import predictions_path, write_predictions
from train.published import ABLATIONS_MNRE
from train.results import write_result


def test_rows_are_those_of_the_paper_in_its_order_and_of_the_settings():
    assert list(ROWS.values()) == [row.name for row in ABLATIONS_MNRE]
    assert settings_files([Path("train/configs/mnre/ablations")]).keys() == {FULL, *ROWS}


def test_our_difference_stands_beside_the_paper():
    table = ablations_table(
        [finished_run("full", 1, 320), finished_run("without_vhan", 1, 240), finished_run("with_gat", 1, 318)]
    )
    assert cells(table, "VM-HAN (full)")[1:3] == ["1", "84.2"]
    found = cells(table, "w/o V-HAN")
    assert found[1:3] == ["1", "70.6"] and found[4] == "-13.6" and found[6:] == ["-4.3", "yes"]
    low, high = map(float, found[5].split(" to "))
    assert low < -13.6 < high < 0
    assert cells(table, "repl. GAT")[-1] == "not seen"


def test_a_difference_of_the_other_sign_is_opposite():
    table = ablations_table([finished_run("full", 1, 240), finished_run("without_kl", 1, 320)])
    assert cells(table, "w/o KL Loss")[-2:] == ["-1.3", "opposite"]


def test_seeds_are_averaged_with_their_deviation():
    table = ablations_table([finished_run("full", seed, hits) for seed, hits in ((1, 300), (2, 320), (3, 340))])
    assert cells(table, "VM-HAN (full)")[1] == "3" and " ± " in cells(table, "VM-HAN (full)")[2]


def test_rows_that_have_not_been_run_are_empty_but_keep_the_paper():
    table = ablations_table([finished_run("with_gcn", 1, 300)])
    assert len(table.splitlines()) == 2 + 14
    assert cells(table, "w/o KL Loss") == ["w/o KL Loss", "0", "", "", "", "", "-1.3", ""]
    assert cells(table, "repl. GCN")[1:3] == ["1", "81.1"] and cells(table, "repl. GCN")[4:] == ["", "", "-4.8", ""]


def test_a_result_of_no_row_is_refused():
    with pytest.raises(ValueError, match="without_everything"):
        ablations_table([finished_run("without_everything", 1, 300)])


def test_without_predictions_there_is_no_interval():
    full, other = finished_run("full", 1, 320), finished_run("with_gat", 1, 240)
    other.predictions = None
    assert cells(ablations_table([full, other]), "repl. GAT")[3:] == ["", "-13.6", "", "-4.2", ""]


def test_the_report_makes_it_from_its_folder(tmp_path, monkeypatch):
    runs = [finished_run("full", 1, 320), finished_run("with_gat", 1, 300)]
    for made in runs:
        path = tmp_path / f"{made.name}.json"
        write_result(path, made.result)
        write_predictions(predictions_path(path), made.predictions)
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert report.make_tables() == {"mnre-ablations": ablations_table(runs)}
