"""Mentions of pair rows, with the kinds that relations name."""

from mnre_fixture import write_mnre

from vmhan.data.mnre import load_mnre
from vmhan.data.pair_mentions import mentions_of_pairs

WORDS = ["Ada", "joined", "Ferro", "in", "Rome"]
ADA, FERRO, ROME = [0, 1], [2, 3], [4, 5]


def row(head, tail, relation, words=WORDS):
    return {"words": words, "head_span": head, "tail_span": tail, "relation": relation}


def test_relations_name_the_kinds_of_their_mentions():
    rows = [row(ADA, FERRO, "/per/org/member_of"), row(FERRO, ROME, "None"), row(ADA, ROME, "None")]
    [sentence] = mentions_of_pairs(rows)
    assert sentence["mentions"] == [(0, 1, "person"), (2, 3, "organization"), (4, 5, None)]
    assert sentence["words"] == WORDS and sentence["unknown"] == [(0, 5)]


def test_relations_that_contradict_each_other_leave_the_kind_unknown():
    rows = [row(ADA, ROME, "/per/loc/place_of_residence"), row(ROME, FERRO, "/misc/org/held_on")]
    assert mentions_of_pairs(rows)[0]["mentions"] == [(0, 1, "person"), (2, 3, "organization"), (4, 5, None)]


def test_each_sentence_is_one_row():
    rows = [row(ADA, ROME, "None"), row(ADA, FERRO, "None", words=[*WORDS, "!"]), row(FERRO, ADA, "None")]
    assert [len(sentence["mentions"]) for sentence in mentions_of_pairs(rows)] == [3, 2]


def test_only_handles_are_unknown_where_the_pairs_hold_most_mentions():
    words = ["RT", "@vellin", ":", "@ada", "in", "Rome"]
    [sentence] = mentions_of_pairs([row([3, 4], [5, 6], "None", words)], complete=True)
    assert sentence["unknown"] == [(1, 2)] and sentence["mentions"] == [(3, 4, None), (5, 6, None)]


def test_a_tail_that_is_an_object_is_no_mention():
    rows = [{"words": WORDS, "head_span": ADA, "tail_object": 0, "relation": "/per/org/member_of"}]
    assert mentions_of_pairs(rows)[0]["mentions"] == [(0, 1, "person")]


def test_rows_of_a_data_set_hold_ids_of_relations(tmp_path):
    train = load_mnre(write_mnre(tmp_path / "mnre", sentences=8))["train"]
    sentences = mentions_of_pairs(train, train.features["relation"].names)
    kinds = {kind for sentence in sentences for _, _, kind in sentence["mentions"]}
    assert kinds == {"person", "organization", "place", None}
