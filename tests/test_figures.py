"""Figures from result files."""

import json

import pytest

from train.figures import LEAKING, RESULTS, audit_figure


@pytest.fixture(scope="module")
def audit() -> dict:
    return json.loads((RESULTS / "audit-mnre.json").read_text(encoding="utf-8"))


def test_every_audited_input_has_a_bar_as_long_as_its_figure(audit):
    shape, words = audit_figure(audit).axes
    findings = audit["findings"]["test"][::-1]
    lengths = [bar.get_width() for bar in shape.patches]
    assert lengths == [100 * finding["shape"]["none_or_not"]["accuracy"] for finding in findings]
    assert [label.get_text() for label in shape.get_yticklabels()] == [finding["name"] for finding in findings]
    assert len(words.patches) == len(findings)


def test_what_leaks_stands_out(audit):
    from matplotlib.colors import to_rgba

    shape, _ = audit_figure(audit).axes
    leaking = [bar.get_facecolor() == to_rgba(LEAKING) for bar in shape.patches]
    assert leaking == [bool(finding["leaks"]) for finding in audit["findings"]["test"][::-1]]
    assert any(leaking) and not all(leaking)
