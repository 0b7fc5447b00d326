"""Analyses of result files: from a tiny run to tables and figures, and what stands in ours."""

import hashlib
import json

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from PIL import Image
from training_fixture import write_settings

from train import run
from train.analysis import main
from train.analysis_figures import (
    COLOURS,
    efficiency_figure,
    figures,
    reliability_figure,
    slices_figure,
    visual_figure,
)
from train.analysis_tables import confusions_table, shown_groups, slices_table, tables
from train.metrics import relation_metrics
from train.predictions import predictions_path, read_predictions
from train.report import RESULTS

FAMILIES = {
    "pairs of the sentence",
    "relation types of the entity in this split",
    "relation types of the entity in training",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two trained seeds, and the first evaluated with the sentence only."""
    folder = tmp_path_factory.mktemp("runs")
    settings = [write_settings(folder), "--results_dir", str(folder / "results" / "tiny-runs")]
    for seed in ("1", "2"):
        names = ["--seed", seed, "--run_name", f"seed{seed}", "--output_dir", str(folder / f"seed{seed}")]
        run.main([*settings, *names, "--num_train_epochs", "6", "--learning_rate", "5e-3"])
    blind = ["--checkpoint", str(folder / "seed1" / "final"), "--visual_setting", "text_only", "--run_name", "blind"]
    run.main([*settings, *blind])
    return folder


@pytest.fixture(scope="module")
def analysis(folder):
    words = ["tiny", "--results_dir", str(folder / "results"), "--data_dir", str(folder / "mnre"), "--samples", "200"]
    return main([*words, "--run", "tiny-runs/seed1"])


def of(folder, name):
    return read_predictions(predictions_path(folder / "results" / "tiny-runs" / f"{name}.json"))


def test_seeds_are_one_group_and_an_evaluation_is_another(analysis):
    groups = {tuple(group["runs"]): group for group in analysis["groups"]}
    assert set(groups) == {("tiny-runs/seed1", "tiny-runs/seed2"), ("tiny-runs/blind",)}
    trained, blind = groups["tiny-runs/seed1", "tiny-runs/seed2"], groups["tiny-runs/blind",]
    assert trained["wall_time_seconds"] > 0 and blind["wall_time_seconds"] is None
    assert trained["parameters"] == blind["parameters"] > 1000


def test_slices_of_a_family_hold_every_row_once(analysis):
    for group in analysis["groups"]:
        assert set(group["slices"]) == FAMILIES
        for parts in group["slices"].values():
            assert sum(part["rows"] for part in parts.values()) == group["all"]["rows"]


def test_slice_by_pairs_scores_the_rows_of_such_sentences(folder, analysis):
    rows, names = of(folder, "blind").splits["test"], of(folder, "blind").label_names
    single = np.bincount(rows.sentence)[rows.sentence] == 1
    group = next(group for group in analysis["groups"] if group["runs"] == ["tiny-runs/blind"])
    several = group["slices"]["pairs of the sentence"]["2 or 3"]
    assert several["rows"] == (~single).sum()
    expected = relation_metrics(rows.predicted[~single], rows.gold[~single], names)
    assert several["f1"] == pytest.approx(expected["f1"]) and several["accuracy"] == pytest.approx(
        expected["accuracy"]
    )


def test_confusion_adds_up_to_the_metrics(folder, analysis):
    counts = np.array(analysis["run"]["confusion"]["counts"])
    assert counts.trace() / counts.sum() == pytest.approx(analysis["run"]["metrics"]["accuracy"])
    supports = [relation["support"] for relation in analysis["run"]["per_relation"].values()]
    assert counts.sum(axis=1)[1:].tolist() == supports, "a line of the matrix is a gold label"


def test_steps_are_of_the_same_weights_and_begin_with_the_run_itself(analysis):
    assert [step["run"] for step in analysis["visual_steps"]] == ["tiny-runs/seed1", "tiny-runs/blind"]
    first, blind = analysis["visual_steps"]
    assert first["difference"] is None and blind["sees"] == "text only"
    assert blind["difference"]["f1"] == pytest.approx(blind["metrics"]["f1"] - first["metrics"]["f1"])


def test_without_data_only_the_slices_by_sentence_are_made(folder, tmp_path):
    (tmp_path / "tiny-runs").symlink_to(folder / "results" / "tiny-runs")
    found = main(["tiny", "--results_dir", str(tmp_path), "--samples", "50", "--split", "validation"])
    assert {family for group in found["groups"] for family in group["slices"]} == {"pairs of the sentence"}
    assert found["split"] == "validation" and (tmp_path / "figures" / "tiny-pairs.png").is_file()
    assert not (tmp_path / "figures" / "tiny-entities.png").exists()


def test_other_data_are_refused(folder, tmp_path):
    from mnre_fixture import write_mnre

    other = write_mnre(tmp_path / "other", sentences=8)
    with pytest.raises(ValueError, match="--data_dir"):
        main(["tiny", "--results_dir", str(folder / "results"), "--data_dir", str(other), "--samples", "10"])


def test_nothing_to_analyse_says_how_to_make_predictions(tmp_path):
    with pytest.raises(ValueError, match="--complete_result"):
        main(["tiny", "--results_dir", str(tmp_path)])


@pytest.fixture(scope="module")
def ours() -> dict:
    return json.loads((RESULTS / "analysis-mnre.json").read_text(encoding="utf-8"))


def test_bars_are_as_high_as_the_scores(ours):
    (axes,) = slices_figure(ours, ["pairs of the sentence"]).axes
    heights = [bar.get_height() for bar in axes.patches]
    groups = [group["slices"]["pairs of the sentence"].values() for group in shown_groups(ours)]
    assert heights == pytest.approx([100 * part["f1"] for parts in groups for part in parts if part["related"]])
    assert len({bar.get_facecolor() for bar in axes.patches}) == len(groups) <= len(COLOURS)


def test_every_trained_group_is_a_point_of_time_and_parameters(ours):
    trained = [group for group in ours["groups"] if group["trained"]]
    time, parameters = efficiency_figure(ours).axes
    assert len(time.collections) == len(parameters.collections) == len(trained)
    places = [collection.get_offsets()[0].tolist() for collection in parameters.collections]
    assert places == [pytest.approx([group["parameters"] / 1e6, 100 * group["metrics"]["f1"]]) for group in trained]


def test_steps_stand_in_their_order(ours):
    left, _ = visual_figure(ours).axes
    assert [label.get_text() for label in left.get_yticklabels()] == [step["sees"] for step in ours["visual_steps"]]
    assert left.get_ylim()[0] > left.get_ylim()[1], "the first on top"


def test_reliability_bars_are_the_bins(ours):
    upper, lower = reliability_figure(ours).axes
    bins = [of_bin for of_bin in ours["run"]["calibration"]["bins"] if of_bin["rows"]]
    assert [bar.get_height() for bar in upper.patches] == [of_bin["accuracy"] for of_bin in bins]
    assert [bar.get_height() for bar in lower.patches] == [of_bin["rows"] for of_bin in bins]
    assert upper.patches[0].get_facecolor() == to_rgba(COLOURS[0])


def test_figures_in_the_repository_are_made_from_the_analysis():
    content = hashlib.sha256((RESULTS / "analysis-mnre.json").read_bytes()).hexdigest()
    paths = sorted((RESULTS / "figures").glob("mnre-*.png"))
    assert len(paths) == 6
    for path in paths:
        with Image.open(path) as image:
            assert image.text["Source"] == f"analysis-mnre.json {content}", "run `python -m train.figures`"


def test_every_analysis_has_its_tables_and_figures(ours):
    assert set(tables(ours)) == {"groups", "slices", "visual-steps", "differences", "relations", "confusions"}
    assert set(figures(ours)) == {"pairs", "entities", "visual", "efficiency", "reliability", "confusion"}
    first = shown_groups(ours)[0]["slices"]["pairs of the sentence"]["1"]
    assert f"| {first['rows']} | {first['related']} | {100 * first['f1']:.1f} (" in slices_table(ours)


def test_most_frequent_mistake_comes_first(ours):
    counts = np.array(ours["run"]["confusion"]["counts"])
    np.fill_diagonal(counts, 0)
    gold, predicted = np.unravel_index(counts.argmax(), counts.shape)
    names = ours["run"]["confusion"]["labels"]
    line = f"| {names[gold]} | {names[predicted]} | {counts.max()} |"
    assert confusions_table(ours).splitlines()[2] == line
