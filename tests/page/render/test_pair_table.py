"""The table of all pairs."""

import re

from answers import make_pair

from page.render.environment import render
from page.render.pair_table import pair_table


def table_html(*pairs: dict, chosen: int = 0, other: int | None = None) -> str:
    return render("pair_table.html", table=pair_table(list(pairs), chosen, other))


def test_table_tells_which_pair_is_shown_and_which_compared():
    shown = table_html(make_pair(), make_pair(), make_pair(relation="None"), other=2)
    assert shown.count('class="chosen"') == 1 and 'class="quiet other"' in shown
    assert shown.count("data-compare=") == 2, "the shown pair is not compared with itself"


def test_a_single_pair_has_nothing_to_be_compared_with():
    assert "Compare</span>" not in table_html(make_pair()) and "data-compare" not in table_html(make_pair())


def test_labels_may_break_after_their_marks():
    shown = table_html(make_pair(relation="/per/org/member_of"))
    assert re.findall("<code>(.*)</code>", shown) == ["/<wbr>per/<wbr>org/<wbr>member_<wbr>of"]
