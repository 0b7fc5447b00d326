"""Tables out of result files."""

from train.report.write import (
    fill,
    majority_accuracy,
    results_table,
)


def result(seed, f1):
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
        "protocol": "clean",
        "visual_setting": "described",
        "control": "none",
        "config": {
            "data": {},
            "model": model,
            "training": {},
        },
        "metrics": {"validation": split, "test": split},
    }


def test_majority_is_the_share_of_rows_without_a_relation():
    assert majority_accuracy(result(1, 0.5)) == 0.6
    assert results_table([result(1, 0.5)]).splitlines()[-1].endswith("| 0.0 | 60.0 | 0.0 | 0.0 |")


def test_filling_a_table_twice_changes_nothing_more():
    text = "before\n<!-- table: x -->old<!-- end -->\nafter"
    once = fill(text, {"x": "| new |"})
    assert once == "before\n<!-- table: x -->\n\n| new |\n\n<!-- end -->\nafter" == fill(once, {"x": "| new |"})
