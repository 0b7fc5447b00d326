"""Table 2 beside the paper's, out of whatever has been run."""

import hashlib
from functools import partial
from pathlib import Path

import pytest
from finished_fixture import cells, finished_run
from PIL import Image

from train.compare import settings_files
from train.report import ablation_tables
from train.report import write as report
from train.report.ablation_figures import ablations_figure, save_ablations_figure, source
from train.report.ablation_tables import FULL, ROWS, AblationRow, ablation_rows, ablations_table
from vmhan.evaluation import bootstrap
from vmhan.evaluation.bootstrap import Difference
from vmhan.evaluation.paper_tables import ABLATIONS_MNRE
from vmhan.evaluation.predictions import predictions_path, write_predictions
from vmhan.evaluation.result_file import write_result


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    """Draws few samples: no test depends on the second digit of an interval."""
    for name in ("f1_interval", "paired_difference"):
        monkeypatch.setattr(ablation_tables, name, partial(getattr(bootstrap, name), samples=200))


def test_rows_are_those_of_the_paper_in_its_order_and_of_the_settings():
    assert list(ROWS.values()) == [row.name for row in ABLATIONS_MNRE]
    assert settings_files([Path("train/configs/mnre/ablations")]).keys() == {FULL, *ROWS}


def test_our_difference_stands_beside_the_paper():
    table = ablations_table(
        [finished_run("full", 1, 320), finished_run("without_vhan", 1, 240), finished_run("with_gat", 1, 318)]
    )
    assert cells(table, "VM-HAN (full)")[1:3] == ["1", "84.2"]
    found = cells(table, "w/o V-HAN")
    assert found[1:3] == ["1", "70.6"] and found[4] == "-13.6" and found[6:8] == ["-4.3", "larger"]
    low, high = map(float, found[5].split(" to "))
    assert low < -13.6 < high < 0
    assert cells(table, "repl. GAT")[7] == "excluded"


def test_print_is_compared_with_the_direction_given_and_the_mode_of_users_has_columns_of_its_own():
    full, other = finished_run("full", 1, 320), finished_run("without_vhan", 1, 240)
    for made in (full, other):
        made.result["metrics"]["validation"] = {"f1": 0.5, "direction_unknown": {"f1": 0.4}}
    table = ablations_table([full, other])
    columns = cells(table, "variant")
    assert columns[2] == "test F1, direction given"
    assert columns[8:] == [
        *("validation F1, direction given", "validation F1", "test F1"),
        *("difference, direction unknown", "95 % interval"),
    ]
    unknown = 100 * other.result["metrics"]["test"]["direction_unknown"]["f1"]
    assert cells(table, "w/o V-HAN")[8:11] == ["50.0", "40.0", f"{unknown:.1f}"]
    of_full = 100 * full.result["metrics"]["test"]["direction_unknown"]["f1"]
    difference, interval = cells(table, "w/o V-HAN")[11:]
    assert float(difference) == pytest.approx(unknown - of_full, abs=0.06)
    low, high = map(float, interval.split(" to "))
    assert low < float(difference) < high and cells(table, "VM-HAN (full)")[11:] == ["", ""]
    assert cells(table, "w/o V-HAN")[2] == "70.6" != f"{unknown:.1f}"


@pytest.mark.parametrize(
    ("low", "high", "agreement"),
    [
        (-6.0, -0.5, "confirmed"),
        (-0.8, 0.2, "excluded"),
        (-6.0, 0.2, "inconclusive"),
        (-3.0, -0.5, "smaller"),
        (-9.0, -5.0, "larger"),
        (0.5, 3.0, "opposite sign"),
        (-4.3, 0.0, "inconclusive"),
    ],
)
def test_agreement_asks_the_interval_for_zero_and_for_the_difference_of_the_paper(low, high, agreement):
    ours = Difference((low + high) / 200, low / 100, high / 100, 0.5)
    assert AblationRow("w/o V-HAN", [], -4.3, ours).agreement == agreement


def test_runs_that_are_not_clean_are_refused():
    leaking = finished_run("full", 1, 320)
    leaking.result["protocol"] = "leaking"
    with pytest.raises(ValueError, match=r"mnre-ablations/full-seed1 is of the protocol 'leaking'"):
        ablations_table([leaking])


def test_figure_names_the_rows_that_were_run(tmp_path):
    runs = [finished_run("full", 1, 320), finished_run("without_kl", 1, 300), finished_run("with_gat", 1, 318)]
    (axes,) = ablations_figure(ablation_rows(runs)[1]).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["w/o KL Loss", "repl. GAT"]
    assert "direction given" in axes.get_xlabel()
    with Image.open(save_ablations_figure(runs, tmp_path / "figures")) as image:
        assert image.text["Source"] == source(runs)


def test_the_figure_in_the_repository_shows_the_table_of_the_documentation():
    """Which `test_documents` compares with the result files."""
    document = (report.ROOT / "docs" / "results" / "ablations.md").read_text(encoding="utf-8")
    table = document.split("<!-- table: mnre-ablations -->\n\n")[1].split("\n\n<!-- end -->")[0]
    checksum = hashlib.sha256(table.encode()).hexdigest()
    with Image.open(report.RESULTS / "figures" / "ablations-mnre.png") as image:
        assert image.text["Source"] == f"table mnre-ablations {checksum}", "run `python -m train.report.figures`"


def test_seeds_are_averaged_with_their_deviation():
    table = ablations_table([finished_run("full", seed, hits) for seed, hits in ((1, 300), (2, 320), (3, 340))])
    assert cells(table, "VM-HAN (full)")[1] == "3" and " ± " in cells(table, "VM-HAN (full)")[2]


def test_intervals_of_several_seeds_hold_the_variance_between_them():
    """The same rows: three seeds that agree, and three of the same mean that do not."""

    def width(hits) -> float:
        runs = [finished_run("full", seed, 320) for seed in (1, 2, 3)]
        runs += [finished_run("with_gat", seed, number) for seed, number in enumerate(hits, start=1)]
        (low, high) = map(float, cells(ablations_table(runs), "repl. GAT")[5].split(" to "))
        return high - low

    assert width((280, 320, 360)) > width((320, 320, 320)) + 1


def test_rows_that_have_not_been_run_are_empty_but_keep_the_paper():
    table = ablations_table([finished_run("with_gcn", 1, 300)])
    assert len(table.splitlines()) == 2 + 14
    assert cells(table, "w/o KL Loss") == ["w/o KL Loss", "0", *[""] * 4, "-1.3", *[""] * 6]
    assert cells(table, "repl. GCN")[1:3] == ["1", "81.1"] and cells(table, "repl. GCN")[4:8] == ["", "", "-4.8", ""]


def test_a_result_of_no_row_is_refused():
    with pytest.raises(ValueError, match="without_everything"):
        ablations_table([finished_run("without_everything", 1, 300)])


def test_without_predictions_there_is_no_interval():
    full, other = finished_run("full", 1, 320), finished_run("with_gat", 1, 240)
    other.predictions = None
    assert cells(ablations_table([full, other]), "repl. GAT")[3:8] == ["", "-13.6", "", "-4.2", ""]


def test_a_second_folder_of_ablations_has_a_figure_of_its_own(tmp_path):
    runs = [finished_run("full", 1, 320), finished_run("with_gat", 1, 318)]
    for made in runs:
        made.name = made.name.replace("mnre-ablations", "mnre-mini-ablations")
    path = save_ablations_figure(runs, tmp_path)
    assert path.name == "ablations-mnre-mini.png" and source(runs).startswith("table mnre-mini-ablations ")


def test_the_report_makes_it_from_its_folder(tmp_path, monkeypatch):
    runs = [finished_run("full", 1, 320), finished_run("with_gat", 1, 300)]
    for made in runs:
        path = tmp_path / f"{made.name}.json"
        write_result(path, made.result)
        write_predictions(predictions_path(path), made.predictions)
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert report.build_tables() == {"mnre-ablations": ablations_table(runs)}
