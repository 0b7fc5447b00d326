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
from train.report.analysis import main
from train.report.analysis_figures import draw_figures
from train.report.analysis_groups import Settings, compare_groups, teachers_seconds
from train.report.analysis_tables import calibration_table, confidence_table, slices_table, tables
from train.report.efficiency_figure import efficiency_figure
from train.report.figure_style import COLORS
from train.report.group_labels import OTHER_WAY_ROUND, clean_groups, label, shown_groups
from train.report.relation_tables import analyzed_relations_table, confusions_table
from train.report.reliability_figure import reliability_figure
from train.report.slices_figure import slices_figure
from train.report.visual_figure import visual_figure
from train.report.write import RESULTS
from vmhan.evaluation.calibration import describe_confidence
from vmhan.evaluation.metrics import WRONG_DIRECTION, relation_metrics
from vmhan.evaluation.modes import GIVEN, MODES, rows_in, score_rows
from vmhan.evaluation.predictions import predictions_path, read_predictions, write_predictions
from vmhan.evaluation.result_file import write_result
from vmhan.evaluation.runs import Run, group_runs, read_runs

FAMILIES = {
    "pairs of the sentence",
    "relation types of the entity in this split",
    "relation types of the entity in training",
}

DIFFERENCE = {"f1": 0.1, "low": 0.0, "high": 0.2, "p": 0.04}
DIFFERENCE |= {"direction_given": dict(DIFFERENCE), "best_on_validation": ("shared", "V-HAN", "descriptions")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two trained seeds, and the first evaluated with the sentence only."""
    folder = tmp_path_factory.mktemp("runs")
    settings = [write_settings(folder), "--results_dir", str(folder / "results" / "tiny-runs")]
    for seed in ("1", "2"):
        names = ["--seed", seed, "--run_name", f"seed{seed}", "--output_dir", str(folder / f"seed{seed}")]
        run.main([*settings, *names, "--num_train_epochs", "2", "--learning_rate", "5e-3"])
    blind = ["--checkpoint", str(folder / "seed1" / "final"), "--visual_setting", "text_only", "--run_name", "blind"]
    run.main([*settings, *blind])
    return folder


@pytest.fixture(scope="module")
def analysis(folder):
    words = ["tiny", "--results_dir", str(folder / "results"), "--data_dir", str(folder / "mnre"), "--samples", "200"]
    return main([*words, "--run", "tiny-runs/seed1"])


@pytest.fixture(scope="module")
def invented(folder, tmp_path_factory):
    """The same runs, which answer at random and otherwise in each mode."""
    results, random = tmp_path_factory.mktemp("invented") / "tiny-runs", np.random.default_rng(0)
    for path in (folder / "results" / "tiny-runs").glob("*.json"):
        result, predictions = json.loads(path.read_text("utf-8")), read_predictions(predictions_path(path))
        names = predictions.label_names
        for name, split in predictions.splits.items():
            answer(split, len(names), random)
            unknown, given = (score_rows(predictions, name, mode) for mode in MODES)
            result["metrics"][name] |= {**given, "direction_unknown": unknown}
        write_result(results / path.name, result)
        write_predictions(predictions_path(results / path.name), predictions)
    return results.parent


def answer(split, labels, random):
    """Fills in answers to the rows of a split."""
    pairs = len(split.gold)
    scores = np.sort(random.dirichlet(np.ones(4), (2, pairs)))[..., :0:-1]
    split.top, split.unknown_top = random.integers(0, labels, (pairs, 3)), random.integers(0, labels + 1, (pairs, 3))
    split.scores, split.unknown_scores = scores.round(4)
    split.direction_unknown = split.unknown_top[:, 0]
    split.uncalibrated, split.unknown_uncalibrated = (scores[..., 0] ** 0.5).round(4)


@pytest.fixture(scope="module")
def both_modes(invented):
    return main(["tiny", "--results_dir", str(invented), "--samples", "50", "--run", "tiny-runs/seed1"])


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
    told["metrics"]["validation"]["direction_unknown"]["f1"] = 1.0
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
    rows, names = of(folder, "blind").splits["test"], [*of(folder, "blind").label_names, WRONG_DIRECTION]
    single = np.bincount(rows.sentence)[rows.sentence] == 1
    group = next(group for group in analysis["groups"] if group["runs"] == ["tiny-runs/blind"])
    for found, of_mode in ((rows.direction_unknown, group), (rows.predicted, group["direction_given"])):
        several = of_mode["slices"]["pairs of the sentence"]["2 or 3"]
        assert several["rows"] == (~single).sum()
        expected = relation_metrics(found[~single], rows.gold[~single], names)
        assert (several["f1"], several["accuracy"]) == pytest.approx((expected["f1"], expected["accuracy"]))


def test_everything_is_told_of_the_mode_that_users_get_and_then_of_the_other(invented, both_modes):
    result = json.loads((invented / "tiny-runs" / "seed1.json").read_text(encoding="utf-8"))
    test, validation = result["metrics"]["test"], result["metrics"]["validation"]
    assert test["f1"] != test["direction_unknown"]["f1"], "or the two could be mistaken for each other"
    run, step, group = both_modes["run"], both_modes["visual_steps"][0], both_modes["groups"][0]
    for told, scores in ((run, test["direction_unknown"]), (run["direction_given"], test)):
        assert told["metrics"]["f1"] == scores["f1"] and told["per_relation"] == scores["per_relation"]
        counts = np.array(told["confusion"]["counts"])
        assert counts.trace() / counts.sum() == pytest.approx(scores["accuracy"])
    assert step["metrics"]["f1"] == run["metrics"]["f1"]
    assert step["direction_given"]["metrics"]["f1"] == test["f1"]
    assert step["validation_f1"] == validation["direction_unknown"]["f1"]
    assert step["direction_given"]["validation_f1"] == validation["f1"]
    assert group["metrics"]["f1"] != group["direction_given"]["metrics"]["f1"]
    last = both_modes["visual_steps"][-1]
    for told, first in ((last, step), (last["direction_given"], step["direction_given"])):
        assert told["difference"]["f1"] == pytest.approx(told["metrics"]["f1"] - first["metrics"]["f1"])


def test_calibration_is_that_of_the_scores_of_its_mode_with_the_temperatures_and_without(invented, both_modes):
    rows = read_predictions(predictions_path(invented / "tiny-runs" / "seed1.json")).splits["test"]
    modes = (
        (both_modes["run"], rows.direction_unknown, rows.unknown_scores[:, 0], rows.unknown_uncalibrated),
        (both_modes["run"]["direction_given"], rows.predicted, rows.confidence, rows.uncalibrated),
    )
    for told, found, after, before in modes:
        named = found != 0
        for when, confidence in (("calibrated", after), ("uncalibrated", before)):
            relations = told["calibration"][when]["relations"]
            assert relations["rows"] == named.sum() > 0
            assert relations["confidence"] == pytest.approx(confidence[named].mean())
            assert relations["accuracy"] == pytest.approx((found == rows.gold)[named].mean())


def test_confusion_adds_up_to_the_metrics(folder, analysis):
    counts, names = np.array(analysis["run"]["confusion"]["counts"]), analysis["run"]["confusion"]["labels"]
    assert counts.trace() / counts.sum() == pytest.approx(analysis["run"]["metrics"]["accuracy"])
    supports = [relation["support"] for relation in analysis["run"]["per_relation"].values()]
    assert counts.sum(axis=1)[1:].tolist() == [*supports, 0], "a line of the matrix is a gold label"
    assert names[-1] == OTHER_WAY_ROUND, "which is no gold label"


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
    assert len({bar.get_facecolor() for bar in axes.patches}) == len(groups) <= len(COLORS)


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
    (taught,) = [group for group in ours["groups"] if group["runs"][0] == "mnre-mini/distilled-seed1"]
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


def test_reliability_bars_are_the_bins_of_both_modes_that_of_users_first(both_modes):
    axes = np.array(reliability_figure(both_modes).axes).reshape(2, -1)
    of_modes = [both_modes["run"]["calibration"], both_modes["run"]["direction_given"]["calibration"]]
    panels = [(told["calibrated"], kind) for told in of_modes for kind in ("relations", "all")]
    assert len(panels) == axes.shape[1] and "direction unknown" in axes[0, 0].get_title()
    for (upper, lower), (told, kind) in zip(axes.T, panels, strict=True):
        bins = [of_bin for of_bin in told[kind]["bins"] if of_bin["rows"]]
        assert [bar.get_height() for bar in upper.patches] == [of_bin["accuracy"] for of_bin in bins]
        assert [bar.get_height() for bar in lower.patches] == [of_bin["rows"] for of_bin in bins]
        assert upper.patches[0].get_facecolor() == to_rgba(COLORS[0])


def test_a_model_that_names_no_relation_has_no_panel_for_them(both_modes):
    silent = json.loads(json.dumps(both_modes))
    for told in (silent["run"], silent["run"]["direction_given"]):
        told["calibration"]["calibrated"]["relations"] = describe_confidence([], [])
    upper = reliability_figure(silent).axes[:2]
    assert [axes.get_title().splitlines()[0] for axes in upper] == [
        "all answers, direction unknown",
        "all answers, direction given",
    ]


def test_runs_without_scores_leave_calibration_blank_and_have_no_reliability_diagram(both_modes):
    blank = json.loads(json.dumps(both_modes))
    for told in (blank["run"], blank["run"]["direction_given"], *blank["groups"]):
        told["calibration"] = None
    for group in blank["groups"]:
        group["direction_given"]["calibration"] = None
    assert "reliability" not in draw_figures(blank)
    assert len(confidence_table(blank).splitlines()) == 2
    assert columns_of(calibration_table(blank))[0]["calibration error"] == ""


def columns_of(table) -> list[dict]:
    head, _, *lines = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_confidence_of_named_relations_stands_beside_how_often_they_are_right(both_modes):
    shown = shown_groups(both_modes)
    lines = columns_of(confidence_table(both_modes))
    assert [line["direction"] for line in lines] == ["unknown", "given"]
    for line, told in zip(lines, (shown[0], shown[0]["direction_given"]), strict=True):
        after, before = (told["calibration"][when]["relations"] for when in ("calibrated", "uncalibrated"))
        assert line["mean confidence"] == f"{100 * after['confidence']:.1f}"
        assert line["right"] == f"{100 * after['accuracy']:.1f}"
        assert line["calibration error"] == f"{100 * after['expected_error']:.1f}"
        assert line["calibration error, no temperatures"] == f"{100 * before['expected_error']:.1f}"


def test_every_table_with_scores_has_both_modes(both_modes):
    found = tables(both_modes | {"differences": [{**both_modes["groups"][0], **DIFFERENCE}]})
    assert "direction" in columns_of(found.pop("confidence"))[0]
    for name, table in found.items():
        given = [column for column in columns_of(table)[0] if "direction given" in column]
        assert given and all(line[column] for line in columns_of(table)[-1:] for column in given), name
    for name in ("groups", "calibration", "visual-steps"):
        (first, *_) = columns_of(found[name])
        assert {"validation F1", "F1", "validation F1, direction given", "F1, direction given"} <= first.keys(), name


def test_pairs_with_one_way_round_are_told_once(invented, tmp_path):
    """As where tails are objects: there is no other direction to be found."""
    for path in (invented / "tiny-runs").glob("*.json"):
        result, predictions = json.loads(path.read_text("utf-8")), read_predictions(predictions_path(path))
        for split in result["metrics"].values():
            del split["direction_unknown"]
        predictions.splits = {name: rows_in(split, GIVEN) for name, split in predictions.splits.items()}
        write_result(tmp_path / "one-runs" / path.name, result)
        write_predictions(predictions_path(tmp_path / "one-runs" / path.name), predictions)
    found = main(["one", "--results_dir", str(tmp_path), "--samples", "50", "--run", "one-runs/seed1"])
    whole = json.loads((invented / "tiny-runs" / "seed1.json").read_text("utf-8"))
    assert found["run"]["metrics"]["f1"] == whole["metrics"]["test"]["f1"]
    assert "direction_given" not in json.dumps(found)
    assert "direction" not in "".join(table for name, table in tables(found).items() if name != "confidence")
    assert (
        found["run"]["confusion"]["labels"]
        == read_predictions(predictions_path(invented / "tiny-runs" / "seed1.json")).label_names
    )


def test_best_on_validation_is_so_in_the_mode_that_users_get(folder):
    runs = [found for found in read_runs([folder / "results" / "tiny-runs"], "test") if found.trained]
    told = [{"f1": 0.9, "direction_unknown": {"f1": 0.1}}, {"f1": 0.2, "direction_unknown": {"f1": 0.3}}]
    for place, (finished, validation) in enumerate(zip(runs, told, strict=True)):
        finished.result["metrics"]["validation"] = validation
        finished.result["config"]["model"]["kl_weight"] = place / 10
    assert [group.runs[0].name for group in group_runs(runs)] == ["tiny-runs/seed2", "tiny-runs/seed1"]


def test_figures_in_the_repository_are_made_from_the_analysis():
    content = hashlib.sha256((RESULTS / "analysis-mnre.json").read_bytes()).hexdigest()
    paths = sorted((RESULTS / "figures").glob("mnre-*.png"))
    assert len(paths) == 6
    for path in paths:
        with Image.open(path) as image:
            assert image.text["Source"] == f"analysis-mnre.json {content}", "run `python -m train.report.figures`"


def test_every_analysis_has_its_tables_and_figures(ours):
    ranked = {"groups", "calibration", "confidence", "slices", "differences"}
    assert set(tables(ours)) == ranked | {"visual-steps", "relations", "confusions", "summary"}
    assert set(draw_figures(ours)) == {"pairs", "entities", "visual", "efficiency", "reliability", "confusion"}
    first = shown_groups(ours)[0]["slices"]["pairs of the sentence"]["1"]
    assert f"| {first['rows']} | {first['related']} | {100 * first['f1']:.1f} (" in slices_table(ours)


def test_most_frequent_mistake_comes_first(ours):
    counts = np.array(ours["run"]["confusion"]["counts"])
    np.fill_diagonal(counts, 0)
    gold, predicted = np.unravel_index(counts.argmax(), counts.shape)
    names = ours["run"]["confusion"]["labels"]
    of_given = ours["run"]["direction_given"]["confusion"]["counts"][gold][predicted]
    line = f"| {names[gold]} | {names[predicted]} | {counts.max()} | {of_given} |"
    assert confusions_table(ours).splitlines()[2] == line


def test_rare_relations_are_one_line_of_which_the_counts_add_up(ours):
    *often, rare = analyzed_relations_table(ours).splitlines()[2:]
    pairs = [int(line.split("|")[2]) for line in (*often, rare)]
    assert min(pairs[:-1]) >= 10 and sum(pairs) == ours["groups"][0]["all"]["related"]
    assert "each with fewer than 10 pairs" in rare
    first = max(ours["run"]["per_relation"].items(), key=lambda relation: relation[1]["support"])
    assert often[0].startswith(f"| `{first[0]}` | {first[1]['support']} | {100 * first[1]['precision']:.1f} |")


def test_few_groups_stand_side_by_side_and_none_that_has_its_own_table(ours):
    made_up = [{**group, "folder": folder} for folder in ("mnre-ablations", "mnre-legacy") for group in ours["groups"]]
    shown = shown_groups({**ours, "groups": made_up + ours["groups"]})
    assert shown == shown_groups(ours) and len(shown) <= len(COLORS)
    assert {group["folder"] for group in shown} == {"mnre-mini", "mnre-compare"}


def test_ablations_are_called_as_in_the_paper():
    group = {"folder": "mnre-ablations", "variant": ["shared", "V-HAN", "descriptions, without kl"]}
    assert label({**group, "name": "without_kl"}) == "w/o KL Loss"
    assert label({**group, "name": None}) == "markers shared, V-HAN, descriptions, without kl"
