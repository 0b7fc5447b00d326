"""Tables out of result files."""

import re

import pytest

from train.report.write import (
    DOCUMENTS,
    RESULTS,
    fill,
    group_by_variant,
    majority_accuracy,
    make_tables,
    results_table,
)
from vmhan.evaluation.tables import settings_name


def result(seed, f1, setting="described", checkpoint=None, control="none", boxes=None, protocol="clean"):
    split = {
        "f1": f1,
        "precision": 0.5,
        "recall": 0.5,
        "accuracy": 0.7,
        "rows": 10,
        "direction_unknown": {"f1": f1 - 0.1, "precision": 0.4, "recall": 0.3, "accuracy": 0.6},
        "per_relation": {"a": {"support": 3}, "b": {"support": 1}},
    }
    model = {"entity_markers": "shared", "structure_encoder": "vhan"}
    return {
        "seed": seed,
        "protocol": protocol,
        "visual_setting": setting,
        "control": control,
        "config": {
            "data": {"boxes": boxes},
            "model": model,
            "training": {"checkpoint": checkpoint} if checkpoint else {},
        },
        "metrics": {"validation": split, "test": split},
    }


def test_seeds_of_a_variant_are_one_line_with_mean_and_deviation():
    table = results_table([result(1, 0.60), result(2, 0.64), result(3, 0.62)])
    assert "| shared | V-HAN | descriptions | 3 | 52.0 ± 2.0 | 52.0 ± 2.0 | 40.0 ± 0.0 |" in table


def columns(table):
    head, _, first, *_ = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    return dict(zip(head, first, strict=True))


def test_mode_that_users_get_comes_first_and_the_other_last_on_both_splits():
    found = result(1, 0.6)
    found["metrics"]["validation"] = {"f1": 0.55, "direction_unknown": {"f1": 0.42}}
    scores = columns(results_table([found]))
    assert list(scores)[4:] == [
        *("validation F1", "test F1", "test precision", "test recall", "test accuracy"),
        *("validation F1, direction given", "test F1, direction given"),
    ]
    assert list(scores.values())[4:] == ["42.0", "50.0", "40.0", "30.0", "60.0", "55.0", "60.0"]


def test_pairs_with_one_way_round_have_one_mode():
    found = result(1, 0.6)
    del found["metrics"]["test"]["direction_unknown"]  # of both splits
    scores = columns(results_table([found]))
    assert list(scores)[-1] == "test accuracy" and list(scores.values())[4:] == [
        "60.0",
        "60.0",
        "50.0",
        "50.0",
        "70.0",
    ]


def test_single_seed_has_no_deviation():
    assert "| 1 | 50.0 | 50.0 | 40.0 |" in results_table([result(1, 0.60)])


def test_boxes_are_a_variant_of_their_own():
    assert list(group_by_variant([result(1, 0.6), result(1, 0.5, boxes="detect")])) == [
        ("shared", "V-HAN", "descriptions"),
        ("shared", "V-HAN", "descriptions and boxes"),
    ]


def test_variants_are_sorted_by_validation():
    groups = group_by_variant([result(1, 0.5, "text_only"), result(1, 0.6)])
    assert [names[-1] for names in groups] == ["descriptions", "text only"]


def test_best_on_validation_is_so_in_the_mode_that_users_get():
    worse = result(1, 0.7, "text_only")
    worse["metrics"]["validation"]["direction_unknown"]["f1"] = 0.3
    assert [names[-1] for names in group_by_variant([worse, result(1, 0.6)])] == ["descriptions", "text only"]


def test_evaluating_a_checkpoint_is_not_mixed_with_training():
    runs = [result(1, 0.6), result(1, 0.5, checkpoint="x"), result(1, 0.4, checkpoint="x", control="shuffled_images")]
    assert len(group_by_variant(runs)) == 3


def test_what_gives_the_label_away_says_so_and_stands_last():
    table = results_table([result(1, 0.9, protocol="leaking"), result(2, 0.6), result(3, 0.6)])
    clean, leaking = table.splitlines()[2:4]
    assert "| descriptions | 2 | 50.0" in clean
    assert "| descriptions, protocol leaking: the label is given away | 1 | 80.0" in leaking


def test_a_result_without_a_name_is_refused_with_its_file_and_what_to_do():
    unnamed = {"seed": 1, "command": "accelerate launch train/run.py x.yaml"}
    unnamed["config"] = {"training": {"run_name": None, "output_dir": "outputs/mine"}}
    with pytest.raises(ValueError, match=r"mine\.json .* `accelerate launch train/run.py x.yaml`.* train\.compare"):
        settings_name(unnamed)


def test_every_folder_of_results_has_its_table_in_the_readme():
    text = DOCUMENTS[0].read_text(encoding="utf-8")
    folders = {path.parent.name for path in RESULTS.glob("*/*.json")}
    missing = sorted(folder for folder in folders if f"<!-- table: {folder} -->" not in text)
    assert folders and not missing, "put `<!-- table: name --><!-- end -->` into README.md"


def test_majority_is_the_share_of_rows_without_a_relation():
    assert majority_accuracy(result(1, 0.5)) == 0.6
    assert results_table([result(1, 0.5)]).splitlines()[-1].endswith("| 0.0 | 60.0 | 0.0 | 0.0 |")


def test_filling_a_table_twice_changes_nothing_more():
    text = "before\n<!-- table: x -->old<!-- end -->\nafter"
    once = fill(text, {"x": "| new |"})
    assert once == "before\n<!-- table: x -->\n\n| new |\n\n<!-- end -->\nafter" == fill(once, {"x": "| new |"})


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.parent.name)
def test_every_table_of_a_document_is_made_from_result_files(path):
    """`test_readme` checks that they are equal; here, that none is outside its reach."""
    text = path.read_text(encoding="utf-8")
    names = re.findall(r"<!-- table: (.*?) -->", text)
    assert names and set(names) <= set(make_tables()), "a mark that no table fills"
    assert text.count("<!-- end -->") == len(names)
    rest = re.sub(r"<!-- table: .*?<!-- end -->", "", text, flags=re.S)
    assert not re.search(r"^\|", rest, flags=re.M), "a table outside the marks"
