"""The figure of the audit."""

import hashlib
import json

import pytest
from matplotlib.colors import to_rgba
from PIL import Image

from train.report.audit_figure import ANSWERS, CHANCE, audit_figure, color_of, save_audit_figure
from train.report.figures import RESULTS
from vmhan.evaluation.audit import belongs_to, outcome

RESULT = RESULTS / "audit-mnre.json"


@pytest.fixture(scope="module")
def audit() -> dict:
    return json.loads(RESULT.read_text(encoding="utf-8"))


def marks(axes, question) -> list[tuple]:
    """Place and colour of the answers to a question, from below."""
    lines = [line for line in axes.lines if line.get_marker() == ANSWERS[question][0]]
    return [(line.get_xdata()[0], line.get_color()) for line in lines]


def test_every_answer_stands_where_the_result_file_says_in_the_color_of_its_outcome(audit):
    none, relation, words = audit_figure(audit).axes
    findings = audit["findings"]["test"][::-1]
    for axes, label in ((none, "none_or_not"), (relation, "relation")):
        for question in ("shape", "value"):
            told = [(100 * item[question][label]["accuracy"], color_of(item)) for item in findings]
            assert marks(axes, question) == told
    for axes, metric in ((none, "none_accuracy"), (words, "f1")):
        told = [(100 * item["words"][metric], color_of(item)) for item in findings if item["words"]]
        assert marks(axes, "words") == told
    assert len({color_of(item) for item in findings}) == 3


def test_inputs_are_called_what_the_table_calls_them(audit):
    axes = audit_figure(audit).axes[0]
    findings = audit["findings"]["test"][::-1]
    names = [f"{item['name']}\n{belongs_to(item)}: {outcome(item)}" for item in findings]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    assert [to_rgba(label.get_color()) for label in axes.get_yticklabels()] == [
        to_rgba(color_of(item)) for item in findings
    ]


def test_chance_and_thresholds_are_drawn(audit):
    none, relation, words = audit_figure(audit).axes
    part, limits = audit["findings"]["test"][-1]["shape"], audit["thresholds"]
    for axes, label in ((none, "none_or_not"), (relation, "relation")):
        chance = [list(line.get_xdata()) for line in axes.lines if line.get_color() == CHANCE]
        assert chance[0] == [100 * x for x in part[label]["permuted"]]
        majority = 100 * part[label]["majority"]
        assert {majority, majority + 100 * limits["least_gain"]} <= verticals(axes)
    assert 100 * (part["none_or_not"]["majority"]) + 100 * limits["least_word_gain"] in verticals(none)
    assert verticals(words) == {100 * limits["most_word_f1"]}


def verticals(axes) -> set[float]:
    return {line.get_xdata()[0] for line in axes.lines if line.get_color() == "black"}


def test_the_figure_in_the_repository_is_made_from_the_audit(tmp_path):
    content = hashlib.sha256(RESULT.read_bytes()).hexdigest()
    for path in (RESULTS / "figures" / "audit-mnre.png", save_audit_figure(RESULT, tmp_path)):
        with Image.open(path) as image:
            assert image.text["Source"] == f"audit-mnre.json {content}", "run `python -m train.report.figures`"
