"""Tables of plain sentences and of what separates right answers from wrong ones."""

from finished_fixture import cells

from train.report.answer_tables import answers_table, plain_sentences_table, uncertainty_table


def counts(right: int) -> dict:
    return {
        "all": {"sentences": 45, "right": right},
        "related": {"sentences": 33, "right": right - 10},
        "unrelated": {"sentences": 12, "right": 10},
    }


def test_halves_of_the_plain_sentences_stand_side_by_side_and_what_was_not_read_is_blank():
    table = plain_sentences_table(
        {
            "old": {"annotation_style": None, "development": counts(23)},
            "new": {"annotation_style": "general", "development": counts(40), "once": counts(39)},
        }
    )
    assert cells(table, "old") == ["old", "", "23 of 45", "13 of 33", "10 of 12", "", "", ""]
    assert cells(table, "new")[1:] == [
        *("general", "40 of 45", "30 of 33", "10 of 12"),
        *("39 of 45", "29 of 33", "10 of 12"),
    ]


def measured(area: float | None) -> dict:
    areas = {"all": area, "relations": 0.25, "no_relation": None}
    added = {"auroc": 0.8, "gain": 0.0123, "low": -0.001, "high": 0.02}
    mean = {"f1": 0.5, "macro_f1": 0.25, "right": 0.75, "expected_calibration_error": {"relations": 0.1, "all": 0.02}}
    return {
        "mean": {
            **mean,
            "auroc_right": {"confidence": areas, "entropy": areas, "pair_variance": areas, "spread": areas},
        },
        "added": {"pair_variance": {"all": added, "relations": None}},
    }


RESULT = {"measured": {"test": {"direction_unknown": measured(0.71849), "direction_given": measured(None)}}}


def test_areas_and_what_a_doubt_adds():
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in uncertainty_table(RESULT).splitlines()[2:]
    ]
    assert lines[0] == ["test", "unknown", "confidence", "0.718", "0.250", "", "", ""]
    assert lines[2] == ["test", "unknown", "variance", "0.718", "0.250", "", "+0.012 (-0.001 to +0.020)", ""]
    assert [line[2] for line in lines[4:]] == ["confidence", "entropy of the scores", "variance", "`spread`"]
    assert lines[4][1:4] == ["given", "confidence", ""]


def test_answers_are_scored_in_both_modes():
    table = answers_table(RESULT).splitlines()
    assert table[2] == "| test | unknown | 50.0 | 25.0 | 75.0 | 10.0 | 2.0 |"
    assert table[3].startswith("| test | given |")
