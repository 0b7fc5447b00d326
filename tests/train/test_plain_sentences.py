"""The command that scores a model on plain sentences: what is right, and that the half read once is."""

import json

import pytest
from tiny import save_tiny_checkpoint
from transformers import pipeline

from train import plain_sentences
from train.plain_sentences import SENTENCES, default_name
from train.settings_parser import SettingsError
from vmhan.data.schema import SYMMETRIC
from vmhan.evaluation.plain_sentences import count_right, is_right, read_plain_sentences, request_of

ALL = read_plain_sentences(SENTENCES)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    names = sorted({sentence.relation for sentence in ALL})
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    folder = tmp_path_factory.mktemp("run") / "final"
    return save_tiny_checkpoint(folder, seed=2, initializer_range=0.5, **labels)


def run(model, folder, *options) -> dict:
    told = plain_sentences.main(["--model", model, "--results_dir", str(folder), *options])
    (path,) = folder.glob("*.json")
    assert json.loads(path.read_text(encoding="utf-8")) == told
    return told


def right_by_loop(model) -> dict[str, list[bool]]:
    """Asks the pipeline sentence by sentence, and judges the answers by their texts."""
    extract, right = pipeline("multimodal-relation-extraction", model=model), {"development": [], "once": []}
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        entities = sorted([row["head"], row["tail"]], key=row["text"].index)
        (pair,) = extract({"text": row["text"], "entities": entities})["pairs"]
        found = pair["relation"], pair["head"]["text"], pair["tail"]["text"]
        expected = [(row["relation"], row["head"], row["tail"])]
        if row["relation"] in {"None", *SYMMETRIC}:
            expected.append((row["relation"], row["tail"], row["head"]))
        right[row["half"]].append(found in expected)
    return right


def test_counts_are_those_of_asking_the_pipeline_one_by_one(model, tmp_path):
    told, right = run(model, tmp_path, "--once"), right_by_loop(model)
    for half, of_half in right.items():
        assert told[half]["all"] == {"sentences": 45, "right": sum(of_half)}
        assert told[half]["related"]["sentences"] == 33 and told[half]["unrelated"]["sentences"] == 12
        assert told[half]["related"]["right"] + told[half]["unrelated"]["right"] == sum(of_half)
    assert [answer["right"] for answer in told["development"]["answers"]] == right["development"]
    assert 0 < sum(right["development"]) < 45, "a test that says something"


def test_result_file_says_what_it_was_made_from_and_only_counts_of_the_other_half(model, tmp_path):
    told = run(model, tmp_path)
    assert "once" not in told and told["annotation_style"] is None
    assert {"command", "commit", "versions", "weights", "sentences"} <= told.keys() and len(told["weights"]) == 64
    texts = {sentence.text for sentence in ALL if sentence.half == "once"}
    told = run(model, tmp_path, "--once")
    assert told["once"].keys() == {"all", "related", "unrelated", "read_at", "commit", "uncommitted_changes"}
    assert not any(text in json.dumps(told, ensure_ascii=False) for text in texts)


def test_the_half_read_once_is_read_once_and_the_record_stays(model, tmp_path):
    first = run(model, tmp_path, "--once")["once"]
    with pytest.raises(SettingsError, match=f"was read at {first['read_at'][:10]}"):
        run(model, tmp_path, "--once", "--name", "by-another-name")
    assert run(model, tmp_path)["once"] == first, "another look at the development half keeps it"


def test_the_record_of_another_model_is_not_written_over(model, tmp_path):
    run(model, tmp_path, "--once")
    (path,) = tmp_path.glob("*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"weights": "other"}), encoding="utf-8")
    with pytest.raises(SettingsError, match="for another model; choose another --name"):
        run(model, tmp_path)


def test_without_that_record_a_file_is_written_over(model, tmp_path):
    run(model, tmp_path)
    (path,) = tmp_path.glob("*.json")
    path.write_text(json.dumps({"weights": "other"}), encoding="utf-8")
    assert run(model, tmp_path)["weights"] != "other"


def test_a_style_that_the_model_does_not_know_is_refused(model, tmp_path):
    with pytest.raises(SettingsError, match="annotation_style is 'mnre', which this model does not know: it has none"):
        run(model, tmp_path, "--annotation_style", "mnre")


def test_a_model_with_other_relations_is_refused(tmp_path):
    other = save_tiny_checkpoint(tmp_path / "other")
    with pytest.raises(SettingsError, match=r"does not know the relations .*/per/per/parent"):
        run(other, tmp_path / "results")


def test_a_model_is_named_after_its_run(tmp_path):
    assert default_name(str(tmp_path / "mini" / "final")) == "mini"
    assert default_name(str(tmp_path / "vmhan-mini-mnre")) == "vmhan-mini-mnre"


def sentence_of(relation: str):
    return next(sentence for sentence in ALL if sentence.relation == relation)


def pair_of(sentence, relation: str, turned: bool) -> dict:
    head, tail = (sentence.head_span, sentence.tail_span)[:: -1 if turned else 1]
    return {
        "relation": relation,
        **{n: dict(zip(("start", "end"), s, strict=True)) for n, s in (("head", head), ("tail", tail))},
    }


@pytest.mark.parametrize(
    ("relation", "answer", "turned", "right"),
    [
        ("/per/per/parent", "/per/per/parent", False, True),
        ("/per/per/parent", "/per/per/parent", True, False),
        ("/per/per/parent", "/per/per/peer", False, False),
        ("/per/per/parent", "None", False, False),
        ("/per/per/siblings", "/per/per/siblings", True, True),
        ("None", "None", True, True),
        ("None", "/per/per/peer", False, False),
    ],
)
def test_an_answer_is_right_in_relation_and_in_direction_where_there_is_one(relation, answer, turned, right):
    sentence = sentence_of(relation)
    assert is_right(sentence, pair_of(sentence, answer, turned)) is right


def test_requests_give_the_entities_in_the_order_of_the_text():
    for sentence in ALL:
        first, second = request_of(sentence)["entities"]
        assert first < second and {first, second} == {sentence.head_span, sentence.tail_span}


def test_counts_are_of_all_and_of_both_kinds():
    some = [sentence_of("None"), sentence_of("/per/per/peer")]
    counts = count_right(some, [True, False])
    assert counts["all"] == {"sentences": 2, "right": 1}
    assert counts["related"] == {"sentences": 1, "right": 0}
    assert counts["unrelated"] == {"sentences": 1, "right": 1}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"text": "A met A", "head": "A", "tail": "met", "relation": "None", "half": "once"}', "'A' occurs 2 times"),
        ('{"text": "A met B", "head": "A", "tail": "C", "relation": "None", "half": "once"}', "'C' occurs 0 times"),
        ('{"text": "A met B", "head": "A", "tail": "B", "relation": "None", "half": "test"}', "half is 'test'"),
        ('{"text": "A met B"}', "missing 4 required"),
        ("{", "Line 1"),
    ],
)
def test_a_broken_line_is_named(line, why, tmp_path):
    (tmp_path / "sentences.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(ValueError, match="Line 1 of") as error:
        read_plain_sentences(tmp_path / "sentences.jsonl")
    assert why in str(error.value)
