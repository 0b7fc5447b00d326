"""Tables out of result files."""

import re

import pytest

from train.report import DOCUMENTS, fill, group_by_variant, majority_accuracy, make_tables, results_table


def result(seed, f1, setting="described", checkpoint=None, control="none", boxes=None):
    split = {
        "f1": f1,
        "precision": 0.5,
        "recall": 0.5,
        "accuracy": 0.7,
        "rows": 10,
        "direction_unknown": {"f1": f1 - 0.1},
        "per_relation": {"a": {"support": 3}, "b": {"support": 1}},
    }
    model = {"entity_markers": "shared", "structure_encoder": "vhan"}
    return {
        "seed": seed,
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
    assert "| shared | V-HAN | descriptions | 3 | 62.0 ± 2.0 | 62.0 ± 2.0 | 50.0 ± 0.0 |" in table


def test_f1_where_the_direction_is_unknown_stands_last():
    assert results_table([result(1, 0.6)]).splitlines()[2].endswith("| 70.0 | 50.0 |")


def test_single_seed_has_no_deviation():
    assert "| 1 | 60.0 | 60.0 | 50.0 |" in results_table([result(1, 0.60)])


def test_boxes_are_a_variant_of_their_own():
    assert list(group_by_variant([result(1, 0.6), result(1, 0.5, boxes="detect")])) == [
        ("shared", "V-HAN", "descriptions"),
        ("shared", "V-HAN", "descriptions and boxes"),
    ]


def test_variants_are_sorted_by_validation():
    groups = group_by_variant([result(1, 0.5, "text_only"), result(1, 0.6)])
    assert [names[-1] for names in groups] == ["descriptions", "text only"]


def test_evaluating_a_checkpoint_is_not_mixed_with_training():
    runs = [result(1, 0.6), result(1, 0.5, checkpoint="x"), result(1, 0.4, checkpoint="x", control="shuffled_images")]
    assert len(group_by_variant(runs)) == 3


def test_majority_is_the_share_of_rows_without_a_relation():
    assert majority_accuracy(result(1, 0.5)) == 0.6
    assert results_table([result(1, 0.5)]).splitlines()[-1].endswith("| 60.0 | 0.0 |")


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
