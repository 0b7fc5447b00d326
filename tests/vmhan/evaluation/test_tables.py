"""Tables out of result files: columns of both modes, lines of groups of runs."""

import json
from pathlib import Path

import pytest

from vmhan.evaluation.run_grouping import settings_name
from vmhan.evaluation.tables import comparison_lines, comparison_table, relations_table, scores_table

FILE = Path(__file__).resolve().parents[3] / "assets" / "results" / "mnre-mini" / "second-generation-seed2.json"


def stored() -> dict:
    return json.loads(FILE.read_text(encoding="utf-8"))


def result(seed, f1, setting="described", checkpoint=None, control="none", boxes=None, protocol="clean"):
    split = {
        "f1": f1,
        "precision": 0.5,
        "recall": 0.5,
        "accuracy": 0.7,
        "rows": 10,
        "direction_unknown": {"f1": f1 - 0.1, "precision": 0.4, "recall": 0.3, "accuracy": 0.6},
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


def labels(results) -> list[tuple]:
    return [tuple(line[:3]) for line in comparison_lines(results)[2:]]


def columns(found) -> dict[str, str]:
    head, _, line = comparison_lines([found])
    return dict(zip(head[4:], line[4:], strict=True))


def test_seeds_of_a_variant_are_one_line_with_mean_and_deviation():
    table = comparison_table([result(1, 0.60), result(2, 0.64), result(3, 0.62)])
    assert "| shared | V-HAN | descriptions | 3 | 52.0 ± 2.0 | 52.0 ± 2.0 | 40.0 ± 0.0 |" in table


def test_single_seed_has_no_deviation():
    assert "| 1 | 50.0 | 50.0 | 40.0 |" in comparison_table([result(1, 0.60)])


def test_mode_that_users_get_comes_first_and_the_other_last_on_both_splits():
    found = result(1, 0.6)
    found["metrics"]["validation"] = {"f1": 0.55, "direction_unknown": {"f1": 0.42}}
    scores = columns(found)
    assert list(scores) == [
        *("validation F1", "test F1", "test precision", "test recall", "test accuracy"),
        *("validation F1, direction given", "test F1, direction given"),
    ]
    assert list(scores.values()) == ["42.0", "50.0", "40.0", "30.0", "60.0", "55.0", "60.0"]


def test_macro_f1_stands_beside_micro_f1_in_both_modes():
    found = stored()
    test = found["metrics"]["test"]
    scores = columns(found)
    assert list(scores).index("test macro F1") == list(scores).index("test F1") + 1
    assert scores["test macro F1"] == f"{100 * test['direction_unknown']['macro_f1']:.1f}"
    assert scores["test macro F1, direction given"] == f"{100 * test['macro_f1']:.1f}"
    assert "| macro F1 |" in scores_table(found) and "| macro F1, direction given |" in scores_table(found)


def test_macro_f1_of_old_files_which_counted_the_wrong_direction_is_left_out():
    found = stored()
    for split in found["metrics"].values():
        del split["direction_unknown"]["per_relation"]
    assert "test macro F1" not in columns(found) and "test macro F1, direction given" in columns(found)


def test_pairs_with_one_way_round_have_one_mode():
    found = stored()
    for split in found["metrics"].values():
        del split["direction_unknown"]
    f1 = f"| {100 * found['metrics']['test']['f1']:.1f} |"
    for table in (scores_table(found), relations_table(found), comparison_table([found])):
        assert "direction" not in table
    assert f1 in scores_table(found) and f1 in comparison_table([found])


def test_split_that_was_not_read_has_no_columns():
    found = result(1, 0.6)
    del found["metrics"]["test"]
    assert list(columns(found)) == ["validation F1", "validation F1, direction given"]


def test_relations_are_scored_in_both_modes():
    found = stored()
    given = found["metrics"]["test"]["per_relation"]
    halved = {name: {**of, "f1": of["f1"] / 2} for name, of in given.items()}
    found["metrics"]["test"]["direction_unknown"]["per_relation"] = halved
    head, _, first, *_ = relations_table(found).splitlines()
    assert head.count("F1") == 2 and "| F1 |" in head and "| F1, direction given |" in head
    cells, f1 = [cell.strip() for cell in first.strip("|").split("|")], given["/per/per/peer"]["f1"]
    assert cells[0] == "`/per/per/peer`"
    assert (cells[4], cells[7]) == (f"{50 * f1:.1f}", f"{100 * f1:.1f}")


def test_boxes_are_a_variant_of_their_own():
    assert labels([result(1, 0.6), result(1, 0.5, boxes="detect")]) == [
        ("shared", "V-HAN", "descriptions"),
        ("shared", "V-HAN", "descriptions and boxes"),
    ]


def test_variants_are_sorted_by_validation():
    found = labels([result(1, 0.5, "text_only"), result(1, 0.6)])
    assert [label[-1] for label in found] == ["descriptions", "text only"]


def test_best_on_validation_is_so_in_the_mode_that_users_get():
    worse = result(1, 0.7, "text_only")
    worse["metrics"]["validation"]["direction_unknown"]["f1"] = 0.3
    assert [label[-1] for label in labels([worse, result(1, 0.6)])] == ["descriptions", "text only"]


def test_evaluating_a_checkpoint_is_not_mixed_with_training():
    runs = [result(1, 0.6), result(1, 0.5, checkpoint="x"), result(1, 0.4, checkpoint="x", control="shuffled_images")]
    expected = [
        "descriptions",
        "finished model, then descriptions",
        "finished model, then descriptions of other images",
    ]
    assert [label[-1] for label in labels(runs)] == expected


def test_what_gives_the_label_away_says_so_and_stands_last():
    table = comparison_table([result(1, 0.9, protocol="leaking"), result(2, 0.6), result(3, 0.6)])
    clean, leaking = table.splitlines()[2:4]
    assert "| descriptions | 2 | 50.0" in clean
    assert "| descriptions, protocol leaking: the label is given away | 1 | 80.0" in leaking


@pytest.mark.parametrize(
    ("section", "changes", "said"),
    [
        (None, {"protocol": "legacy-crops"}, "protocol legacy-crops"),
        (None, {"control": "blank_images"}, "blank image"),
        ("data", {"boxes": "detect"}, "and boxes"),
        ("data", {"limit": 10}, "limit 10"),
        ("data", {"undirected_pairs": False}, "undirected_pairs False"),
        ("model", {"hyperedges": ["global"]}, "hyperedges ['global']"),
    ],
)
def test_each_variant_has_a_line_of_its_own(section, changes, said):
    found, other = stored(), stored()
    (other["config"][section] if section else other).update(changes)
    assert {said in label[-1] for label in labels([found, other])} == {True, False}


def test_a_result_without_a_name_is_refused_with_its_file_and_what_to_do():
    unnamed = {"seed": 1, "command": "accelerate launch train/run.py x.yaml"}
    unnamed["config"] = {"training": {"run_name": None, "output_dir": "outputs/mine"}}
    with pytest.raises(ValueError, match=r"mine\.json .* `accelerate launch train/run.py x.yaml`.* train\.compare"):
        settings_name(unnamed)
