"""What visitors say about answers."""

import csv

import pytest
from answers import make_pair

from page.extractor import Extractor
from page.feedback import COLUMNS, FeedbackFile
from page.layout import build_page


def test_feedback_is_kept_as_rows(tmp_path):
    file = FeedbackFile(tmp_path / "new" / "feedback.csv")
    file.add("mini", 'Ada, "met" Bob', make_pair(), "right")
    file.add("mini", "=HYPERLINK(1)", make_pair(), "wrong", "/per/per/couple")
    rows = list(csv.DictReader((tmp_path / "new" / "feedback.csv").open(newline="", encoding="utf-8")))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["text"] == 'Ada, "met" Bob' and rows[0]["verdict"] == "right" and rows[0]["corrected"] == ""
    assert rows[1]["text"] == "'=HYPERLINK(1)" and rows[1]["corrected"] == "/per/per/couple"


@pytest.mark.parametrize("switched_on", [True, False])
def test_ratings_are_asked_for_only_where_feedback_is_switched_on(tmp_path, switched_on):
    page = build_page(Extractor("unused"), FeedbackFile(tmp_path / "a.csv") if switched_on else None)
    assert ("This pair is right" in str(page.config["components"])) == switched_on


def test_feedback_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'maybe'"):
        FeedbackFile(tmp_path / "a.csv").add("mini", "Ada", make_pair(), "maybe")
