"""Further corpora of relations: broken lines, documents and splits."""

import gzip
import json

import pytest

from vmhan.data.corpora import group_by_document, load_corpus
from vmhan.data.parsing import BadLine


def line(words: str, head: int, tail: int, relation: str = "/per/per/couple") -> dict:
    spans = {"h": {"pos": [head, head + 1]}, "t": {"pos": [tail, tail + 1]}}
    return {"token": words.split(" "), **spans, "relation": relation}


def rows_of(*lines: dict) -> list[dict]:
    return [
        {
            "words": raw["token"],
            "head_span": raw["h"]["pos"],
            "tail_span": raw["t"]["pos"],
            "relation": raw["relation"],
        }
        for raw in lines
    ]


def write(path, lines):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(raw) + "\n" for raw in lines)
    return path


@pytest.fixture
def corpus(tmp_path):
    lines = [line(f"Ada{number} met Bob{number}", 0, 2) for number in range(200)]
    return write(tmp_path / "corpus.jsonl.gz", lines)


def test_about_a_tenth_of_the_documents_is_held_out_for_each_purpose(corpus):
    splits = load_corpus(corpus)
    assert sum(map(len, splits.values())) == 200
    assert 8 <= len(splits["test"]) <= 32 and 8 <= len(splits["validation"]) <= 32


def test_split_of_a_document_does_not_depend_on_the_others(corpus, tmp_path):
    whole = {row["words"][0] for row in load_corpus(corpus)["test"]}
    half = [line(f"Ada{number} met Bob{number}", 0, 2) for number in range(100)]
    part = {row["words"][0] for row in load_corpus(write(tmp_path / "half.jsonl.gz", half))["test"]}
    assert part == {name for name in whole if int(name[3:]) < 100}


def test_rows_of_a_sentence_belong_to_one_document():
    rows = rows_of(line("Ada met Bob and Cem", 0, 2), line("X Y", 0, 1), line("Ada met Bob and Cem", 0, 4))
    assert [len(group) for group in group_by_document(rows)] == [3]  # with what stands between


def test_rows_about_the_same_two_names_belong_to_one_document():
    between = [line(f"P{number} Q{number}", 0, 1) for number in range(40)]
    rows = rows_of(line("Ada met Bob", 0, 2), *between, line("bob left Ada", 0, 2))
    assert sorted(len(group) for group in group_by_document(rows)) == [1] * 40 + [2]


def test_neighbors_that_share_a_name_belong_to_one_document():
    rows = rows_of(line("Ada met Bob", 0, 2), line("Ada left Rome", 0, 2), line("Cem left Oslo", 0, 2))
    assert [len(group) for group in group_by_document(rows)] == [2, 1]


def test_pronoun_is_no_name_that_documents_share():
    rows = rows_of(line("He left Rome", 0, 2), line("He left Oslo", 0, 2))
    assert len(group_by_document(rows)) == 2


def test_broken_line_is_named_with_its_file_and_number(tmp_path):
    path = write(tmp_path / "corpus.jsonl.gz", [line("Ada met Bob", 0, 2), line("Ada  met", 0, 2)])
    with pytest.raises(BadLine, match=r'corpus\.jsonl\.gz, line 2: "token" is not a list of'):
        load_corpus(path)


def test_broken_lines_can_be_left_out_and_are_reported(tmp_path):
    path = write(tmp_path / "corpus.jsonl.gz", [line("Ada met Bob", 0, 2), line("Ada met Bob", 0, 7)])
    bad_lines = []
    splits = load_corpus(path, bad_lines)
    assert sum(map(len, splits.values())) == 1
    assert [bad.line for bad in bad_lines] == [2]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_corpus(tmp_path / "nowhere.jsonl")
