"""The whole answer."""

import re
from html import escape
from html.parser import HTMLParser

from answers import HYPERGRAPH, make_answer, make_pair, parse

from page.render.answer import answer_html
from page.render.figure import figure_svg


def test_nothing_a_visitor_wrote_becomes_markup(image):
    evil = "<script>alert(1)</script>"
    hostile = {"text": evil, "start": 0, "end": 25}
    graph = {**HYPERGRAPH, "nodes": [{**node, "name": evil} for node in HYPERGRAPH["nodes"]]}
    seen = [{"label": f"<b>{evil}</b>", "score": 1.0, "box": [1.0, 1.0, 9.0, 9.0], "attention": 1.0}]
    pair = make_pair(head=hostile, tail={**hostile, "start": 30, "end": 55}, objects=seen, hypergraph=graph)
    answer = make_answer(pair, pair, objects=seen, image=image, text=evil, description=evil)
    shown = answer_html(answer, 0, 1) + figure_svg(answer, 0)
    assert "<script" not in shown and "<b>&" not in shown and "&lt;script&gt;" in shown
    parse(figure_svg(answer, 0))


def attribute_names(markup: str) -> set[str]:
    names, parser = set(), HTMLParser()
    parser.handle_starttag = lambda tag, attributes: names.update(name for name, _ in attributes)
    parser.feed(markup)
    return names


def test_no_attribute_ends_where_a_visitor_wrote_a_quote():
    for evil in ('" onload="alert(1)', "' onload='alert(1)", "x onload=alert(1)"):
        seen = [{"label": evil, "score": 1.0, "box": None, "attention": 1.0}]
        pair = make_pair(head={"text": evil, "start": 0, "end": 9}, relation=evil, scores={evil: 0.7}, objects=seen)
        answer = make_answer(pair, pair, text=evil, objects=seen)
        for shown in (answer_html(answer, 0, 1), figure_svg(answer, 0)):
            assert "viewbox" in attribute_names(shown) and "onload" not in attribute_names(shown)


def test_warnings_of_an_answer_stand_above_its_table_as_text():
    warnings = ["The text is in <b>another</b> script.", "Scores mean little here."]
    shown = answer_html(make_answer(make_pair(), warnings=warnings), 0)
    box = re.search(r'<div class="warnings" role="status">(.*?)</div>', shown, re.DOTALL)
    assert re.findall(r"<p dir=\"auto\">(.*?)</p>", box[1]) == [escape(warning) for warning in warnings]
    assert shown.index("blockquote") < box.start() < shown.index("<table")
    for without in ({}, {"warnings": []}):
        assert "warnings" not in answer_html(make_answer(make_pair(), **without), 0)


def test_a_model_without_variance_or_hypergraph_is_shown_all_the_same():
    pair = make_pair(variance=0.0)
    del pair["hypergraph"]
    shown = answer_html(make_answer(pair), 0)
    assert "keeps no variance" in shown and 'class="hypergraph"' not in shown


def test_two_pairs_are_shown_side_by_side_with_their_marks():
    shown = answer_html(make_answer(make_pair(), make_pair()), 0, 1)
    assert shown.count("<article") == 2 and re.findall(r'<h3><span class="badge (.)">', shown) == ["a", "b"]
    assert answer_html(make_answer(make_pair()), 0).count("<article") == 1
