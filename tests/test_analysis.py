"""Analyses of result files: from a tiny run to tables and figures, and what stands in ours."""

import hashlib
import json
import shutil

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
from train.analysis_groups import Settings, compare_groups, teachers_seconds
from train.analysis_tables import (
    clean_groups,
    confusions_table,
    label,
    relations_table,
    shown_groups,
    slices_table,
    tables,
)
from train.finished_runs import Run, group_runs, read_runs
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


def test_a_run_says_which_model_it_is(analysis):
    assert analysis["run"]["label"] == "final\ntiny-runs: markers shared, V-HAN, descriptions, seed 1"


@pytest.fixture
def leaking_folder(folder, tmp_path):
    """The same, but the second seed is better, for it knows the label."""
    results = tmp_path / "tiny-runs"
    shutil.copytree(folder / "results" / "tiny-runs", results)
    told = json.loads((results / "seed2.json").read_text(encoding="utf-8")) | {"protocol": "leaking"}
    told["metrics"]["validation"]["f1"] = 1.0
    (results / "seed2.json").write_text(json.dumps(told), encoding="utf-8")
    return tmp_path


def test_what_leaks_is_a_group_of_its_own_that_nothing_shows(leaking_folder):
    found = main(["tiny", "--results_dir", str(leaking_folder), "--samples", "50"])
    assert found["run"]["name"] == "tiny-runs/seed1" and found["differences"] == []
    assert [(group["runs"], group["protocol"]) for group in found["groups"] if group["trained"]] == [
        (["tiny-runs/seed1"], "clean"),
        (["tiny-runs/seed2"], "leaking"),
    ]
    assert [group["runs"] for group in shown_groups(found)] == [["tiny-runs/seed1"]]
    assert "leaking" not in "".join(tables(found).values())


def test_ablations_are_not_laid_beside_the_best_on_validation(folder):
    runs = read_runs([folder / "results" / "tiny-runs"], "test")
    other = json.loads(json.dumps(runs[1].result))
    other["config"]["model"]["kl_weight"] = 0.5
    runs = [runs[1], Run("tiny-runs/other", other, runs[1].predictions)]
    assert len(compare_groups(group_runs(runs), Settings(samples=20))) == 1
    ablations = [Run(run.name.replace("runs", "ablations"), run.result, run.predictions) for run in runs]
    assert compare_groups(group_runs(ablations), Settings(samples=20)) == []


def run_of(name, output_dir, seconds, teachers=()):
    training = {"output_dir": output_dir, "teachers": list(teachers)}
    return Run(name, {"config": {"training": training}, "wall_time_seconds": seconds}, None)


def test_teachers_are_found_by_the_folders_they_were_saved_in():
    teachers = [run_of(f"tiny/{number}", f"outputs/{number}", number) for number in (10, 20)]
    pupil = run_of("tiny/pupil", "outputs/pupil", 5, ["outputs/10/final", "outputs/20/final"])
    elsewhere = run_of("other/30", "outputs/20", 30)
    assert teachers_seconds(pupil, [*teachers, pupil, elsewhere]) == 30
    assert teachers_seconds(pupil, [teachers[0], pupil, elsewhere]) is None, "one has no result file"
    assert teachers_seconds(teachers[0], [*teachers, pupil]) is None


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


def test_every_trained_group_has_a_line_of_score_time_and_parameters(ours):
    trained = [group for group in clean_groups(ours) if group["trained"] and not group["folder"].endswith("-legacy")]
    score, time, parameters = efficiency_figure(ours).axes
    names = [text.get_text() for text in score.get_yticklabels()]
    folders = list(dict.fromkeys(group["folder"] for group in trained))
    lines = {(folder, label(group)): group for folder in folders for group in trained if group["folder"] == folder}
    assert sorted(names) == sorted([*folders, *(name for _, name in lines)])
    points = {line.get_ydata()[0]: line.get_xdata()[0] for line in parameters.lines}
    lengths = {}
    for bar in time.patches:
        lengths[round(bar.get_y() + bar.get_height() / 2)] = bar.get_x() + bar.get_width()
    folder = None
    for place, name in enumerate(names):
        if name in folders:
            folder = name
            continue
        group = lines[folder, name]
        assert points[place] == pytest.approx(group["parameters"] / 1e6)
        seconds = group["wall_time_seconds"] + (group["teachers_wall_time_seconds"] or 0)
        assert lengths[place] == pytest.approx(seconds / 60)


def test_time_of_the_teachers_is_counted(ours):
    (taught,) = [group for group in ours["groups"] if group["teachers"] and group["trained"]]
    (alone,) = [group for group in ours["groups"] if group["runs"][0] == "mnre-mini/labels-only-seed1"]
    assert taught["teachers_wall_time_seconds"] == pytest.approx(3 * alone["wall_time_seconds"])


def test_steps_stand_in_their_order(ours):
    upper = visual_figure(ours).axes[0]
    assert [label.get_text() for label in upper.get_yticklabels()] == [step["sees"] for step in ours["visual_steps"]]
    assert upper.get_ylim()[0] > upper.get_ylim()[1], "the first on top"


def test_models_trained_with_more_and_less_differ_in_nothing_else(ours):
    (legend,) = visual_figure(ours).legends
    families = [text.get_text() for text in legend.get_texts()]
    assert len(set(families)) == len(families)
    assert not any("taught" in name for name in families), "teachers are no sight"


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
    ranked = {"groups", "calibration", "slices", "differences"}
    assert set(tables(ours)) == ranked | {"visual-steps", "relations", "confusions"}
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


def test_rare_relations_are_one_line_of_which_the_counts_add_up(ours):
    *often, rare = relations_table(ours).splitlines()[2:]
    pairs = [int(line.split("|")[2]) for line in (*often, rare)]
    assert min(pairs[:-1]) >= 10 and sum(pairs) == ours["groups"][0]["all"]["related"]
    assert "each with fewer than 10 pairs" in rare
    first = max(ours["run"]["per_relation"].items(), key=lambda relation: relation[1]["support"])
    assert often[0].startswith(f"| `{first[0]}` | {first[1]['support']} | {100 * first[1]['precision']:.1f} |")


def test_few_groups_stand_side_by_side_and_none_that_has_its_own_table(ours):
    made_up = [{**group, "folder": folder} for folder in ("mnre-ablations", "mnre-legacy") for group in ours["groups"]]
    shown = shown_groups({**ours, "groups": made_up + ours["groups"]})
    assert shown == shown_groups(ours) and len(shown) <= len(COLOURS)
    assert {group["folder"] for group in shown} == {"mnre-mini", "mnre-compare"}


def test_ablations_are_called_as_in_the_paper():
    group = {"folder": "mnre-ablations", "variant": ["shared", "V-HAN", "descriptions, without kl"]}
    assert label({**group, "name": "without_kl"}) == "w/o KL Loss"
    assert label({**group, "name": None}) == "markers shared, V-HAN, descriptions, without kl"
