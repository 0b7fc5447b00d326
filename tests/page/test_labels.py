"""Relations, numbers and objects in words."""

import pytest
from answers import make_pair

from page.labels import number_objects, relation_label, relative_entropy, sort_pairs, summary


def thing(label, left=None, **more) -> dict:
    return {"label": label, "score": 0.9, "box": None if left is None else [left, 0.0, left + 5.0, 9.0], **more}


def node(kind, name) -> dict:
    return {"kind": kind, "name": name}


@pytest.fixture
def answer() -> dict:
    """Two persons and a dog in the image; the second pair looks at one person only."""
    persons, dog = [thing("person", 0.0), thing("person", 20.0)], thing("dog", 40.0)
    whole = thing("image", 0.0, attention=0.3)
    seen = [
        {**item, "attention": share}
        for item, share in zip([persons[1], dog, persons[0]], (0.3, 0.2, 0.2), strict=True)
    ]
    ends = [node("head", "person"), node("tail", "Bob"), node("image", "image")]
    graph = {"nodes": [*ends, *(node("object", item["label"]) for item in (*persons, dog))], "hyperedges": []}
    less = {"nodes": [*ends, node("object", "person")], "hyperedges": []}
    return {
        "objects": [*persons, dog],
        "pairs": [
            {"objects": [whole, *seen], "hypergraph": graph},
            {"objects": [whole, seen[0]], "hypergraph": less},
            {"objects": [whole]},
        ],
    }


def test_objects_keep_their_number_in_every_pair_and_hypergraph(answer):
    numbered = number_objects(answer)
    assert [item["label"] for item in numbered["objects"]] == ["person 1", "person 2", "dog"]
    first, second, third = numbered["pairs"]
    assert [item["label"] for item in first["objects"]] == ["image", "person 2", "dog", "person 1"]
    assert [item["name"] for item in first["hypergraph"]["nodes"]][3:] == ["person 1", "person 2", "dog"]
    assert [item["name"] for item in second["hypergraph"]["nodes"]] == ["person", "Bob", "image", "person 2"]
    assert "hypergraph" not in third


def test_names_that_differ_and_things_without_a_place_stay_as_they_are():
    objects = [thing("man"), thing("man"), thing("dog", 1.0)]
    answer = {"objects": objects, "pairs": [{"objects": objects}]}
    assert number_objects(answer) == answer


def test_relations_read_as_words():
    assert relation_label("/per/org/member_of") == "member of"
    assert relation_label("None") == "no relation"
    assert relation_label("/loc/loc/contain") == "contains"


def test_pairs_without_relation_come_last():
    pairs = [make_pair(relation="None", score=0.9), make_pair(score=0.3), make_pair(score=0.6)]
    assert [pair["score"] for pair in sort_pairs(pairs)] == [0.6, 0.3, 0.9]


def test_summary_counts_relations_and_kinds():
    pairs = [make_pair(), make_pair(relation="/per/org/member_of"), make_pair(relation="None")]
    assert summary(pairs) == "2 relations of 2 kinds in 3 pairs"
    assert summary(pairs[2:]) == "No relation in 1 pair"


def test_relative_entropy_is_a_share_of_the_largest_entropy():
    assert relative_entropy(make_pair(entropy=0.6931, scores={"a": 0.5, "b": 0.5})) == pytest.approx(1, abs=1e-3)
