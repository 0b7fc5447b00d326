"""What further corpora teach: candidate labels, styles and kinds, and settings that do not fit."""

import numpy as np
import pytest
from datasets import ClassLabel

from train.data.corpora import Corpus, all_labels, build_sources, candidate_labels, kind_labels
from train.settings_parser import SettingsError

LABELS = ["None", "/per/per/couple", "/per/per/peer", "/org/loc/locate_at"]
RELATIONS = ClassLabel(names=LABELS, id="None")
STYLES = ["general", "mnre"]
ROWS = {"b.jsonl": {"train": [{"relation": "/per/per/couple"}, {"relation": "None"}], "validation": [], "test": []}}


def sources(*corpora: Corpus, main_style: str | None = "mnre"):
    main = Corpus("main", annotation_style=main_style)
    return build_sources(corpora, ROWS, RELATIONS, STYLES, main, LABELS, ["person", "organization"])


def candidates_of(annotates, further=None, names=LABELS):
    return candidate_labels(names, "None", np.isin(names, [*{*annotates} - {"None"}]), further)


def test_no_relation_of_a_corpus_may_be_any_label_that_it_does_not_mark():
    assert candidates_of(["/per/per/couple"])[0].tolist() == [True, False, True, True]


def test_negative_label_need_not_be_the_first():
    names = ["/per/per/couple", "None", "/per/per/peer"]
    expected = [[True, False, False], [False, True, True], [False, False, True]]
    assert candidates_of(["/per/per/couple"], names=names).tolist() == expected


def test_label_of_a_corpus_is_itself_alone():
    np.testing.assert_array_equal(candidates_of(LABELS), np.eye(4, dtype=bool))


def test_label_that_annotators_give_to_others_may_be_these():
    candidates = candidates_of(LABELS, {"/per/per/peer": ["/per/per/couple"]})
    assert candidates[2].tolist() == [False, True, True, False]


def test_candidates_of_an_unknown_label_are_refused():
    with pytest.raises(SettingsError, match="/per/per/friend"):
        candidates_of(LABELS, {"/per/per/peer": ["/per/per/friend"]})


def test_corpus_marks_the_labels_that_occur_in_it():
    _, corpus = sources(Corpus("b.jsonl"))
    assert corpus.annotated.tolist() == [False, True, False, False]


def test_corpus_says_which_labels_it_marks():
    _, corpus = sources(Corpus("b.jsonl", annotates=["/per/per/couple", "/org/loc/locate_at"]))
    assert corpus.annotated.tolist() == [False, True, False, True]


def test_main_corpus_has_its_style_and_others_the_first():
    assert [source.style for source in sources(Corpus("b.jsonl"), Corpus("main", annotation_style="general"))] == [
        1,
        0,
        0,
    ]


def test_unknown_style_is_refused_with_those_that_there_are():
    with pytest.raises(SettingsError, match=r"'tacred' is not among .*: general, mnre"):
        sources(Corpus("b.jsonl", annotation_style="tacred"))


def test_kinds_are_read_from_the_names_of_relations():
    kinds = kind_labels(LABELS, ["person", "organization"])
    assert kinds.tolist() == [[-100, -100], [0, 0], [0, 0], [1, -100]]


def test_labels_of_further_corpora_follow_those_of_the_main_one():
    rows = {"b.jsonl": {"train": [{"relation": "/a/new"}], "validation": [], "test": [{"relation": "None"}]}}
    relations = all_labels(ClassLabel(names=["None", "/per/per/peer"], id="None"), rows)
    assert relations.names == ["None", "/per/per/peer", "/a/new"] and relations.id == "None"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": 1}, "has no path"),
        ({"path": "b.jsonl", "license": "MIT"}, "has license; it may have path"),
        ({"path": "b.jsonl", "weight": 0}, "not above 0"),
        ({"path": "b.jsonl", "on_error": "ignore"}, "on_error 'ignore'"),
    ],
)
def test_setting_of_a_corpus_that_does_not_fit_is_refused(settings, message):
    with pytest.raises(SettingsError, match=message):
        Corpus.read(settings)
