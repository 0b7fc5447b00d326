"""Readers of corpora of named entities, on tiny files; on the published ones where NER_DIR names their folder."""

import json
import logging
import os

import pytest

from vmhan.data.ner import NER_CORPORA, load_ner, ner_file, read_ner
from vmhan.data.parsing import BadLine

KINDS = {"PER": "person", "LOC": "place"}


@pytest.fixture
def read(tmp_path):
    """Reads a file of the given text."""

    def read(text, **options):
        path = tmp_path / "tagged.txt"
        path.write_text(text, encoding="utf-8")
        return read_ner(path, KINDS, **options)

    return read


@pytest.fixture
def folder(tmp_path):
    """Writes a file of a corpus into the folder of the corpora."""

    def write(corpus, split, text):
        path = tmp_path / corpus / NER_CORPORA[corpus].files[split]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def mentions(rows):
    return [row["mentions"] for row in rows]


def test_a_word_a_line_and_a_blank_line_between_sentences(read):
    rows = read("Ada\tB-PER\nLovelace\tI-PER\nin\tO\nRome\tB-LOC\n\nHi\tO\n")
    assert rows == [
        {"line": 1, "words": ["Ada", "Lovelace", "in", "Rome"], "mentions": [(0, 2, "person"), (3, 4, "place")]},
        {"line": 6, "words": ["Hi"], "mentions": []},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Ada B-PER\nmet O\n\nBob B-PER\n",
        "Ada\tB-PER\nmet\tO\n\t\nBob\tB-PER\n",
        "\n\nAda B-PER\nmet O\n  \n\nBob B-PER",
        "-DOCSTART- -X- -X- O\n\nAda\t-\t-\tB-PER\nmet\t-\t-\tO\n\nBob\t-\t-\tB-PER\n",
        "IMGID:16_05\nAda\tB-PER\nmet\tO\n\nIMGID:O_1\nBob\tB-PER\n",
        "\ufeffAda\tB-PER\r\nmet\tO\r\n\r\nBob\tB-PER\r\n",
    ],
    ids=["blanks", "a tab in blank lines", "more blank lines", "four columns", "images", "Windows"],
)
def test_forms_of_the_corpora(read, text):
    rows = read(text)
    assert [row["words"] for row in rows] == [["Ada", "met"], ["Bob"]]
    assert mentions(rows) == [[(0, 1, "person")], [(0, 1, "person")]]


def test_mentions_side_by_side_in_bio_and_in_iob1(read):
    bio = "Ada B-PER\nBob B-PER\nLee I-PER\nRome B-LOC\n"
    iob1 = "Ada I-PER\nBob B-PER\nLee I-PER\nRome I-LOC\n"
    assert mentions(read(bio)) == mentions(read(iob1)) == [[(0, 1, "person"), (1, 3, "person"), (3, 4, "place")]]


def test_a_word_with_a_blank_between_tabs_stays_whole(read):
    assert read("ke s\tO\nAda\tB-PER\n")[0]["words"] == ["ke s", "Ada"]


def test_signs_before_a_name_are_in_no_mention(read):
    text = "@ B-PER\nada B-PER\n# B-LOC\nRome I-LOC\n# O\nParis B-LOC\n@ B-PER\nhi O\n@bob B-PER\n"
    assert mentions(read(text)) == [[(1, 2, "person"), (3, 4, "place"), (5, 6, "place"), (8, 9, "person")]]
    assert len(read(text, keep_signs=True)[0]["mentions"]) == 6


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Ada\tB-FOO", "the type of \"Ada\" is 'FOO', none of PER, LOC"),
        ("Ada\tPER", "the tag of \"Ada\" is 'PER', not O, B-type or I-type"),
        ("Ada\tB-", "the tag of \"Ada\" is 'B-'"),
        ("Ada", "not a word and its tag: 'Ada'"),
        ("\tO", "not a word and its tag"),
        ("\u00a0\tO", "not a word and its tag"),
    ],
)
def test_a_bad_line_is_named_or_left_out(read, line, why):
    text = f"Bob\tB-PER\n{line}\nmet\tO\n"
    with pytest.raises(BadLine, match=r"tagged\.txt, line 2: ") as raised:
        read(text)
    assert why in str(raised.value) and "Mend the line" in str(raised.value)
    bad_lines = []
    assert read(text, bad_lines=bad_lines)[0]["words"] == ["Bob", "met"]
    assert [bad.line for bad in bad_lines] == [2]


def test_bytes_that_are_no_utf8_are_a_bad_line(tmp_path):
    (tmp_path / "tagged.txt").write_bytes(b"Bob\tO\n\xff\xfe\tO\n")
    with pytest.raises(BadLine, match="line 2"):
        read_ner(tmp_path / "tagged.txt", KINDS)


def test_bad_lines_are_counted_and_reported(folder, tmp_path, caplog):
    data = folder("btc", "train", "Ada\tB-PER\n\tO\nmet\tB-MISC\n")
    with pytest.raises(BadLine):
        load_ner(data, "btc", "train")
    with caplog.at_level(logging.WARNING):
        rows = load_ner(data, "btc", "train", on_error="skip", report_path=tmp_path / "bad.jsonl")
    assert rows[0]["words"] == ["Ada"] and "2 bad lines left out" in caplog.text
    assert [json.loads(line)["line"] for line in (tmp_path / "bad.jsonl").read_text().splitlines()] == [2, 3]


def test_types_become_kinds(folder):
    types = ("person", "location", "corporation", "group", "product", "creative-work")
    data = folder("wnut17", "validation", "".join(f"it\tB-{name}\n" for name in types))
    kinds = [kind for _, _, kind in load_ner(data, "wnut17", "validation")[0]["mentions"]]
    assert kinds == ["person", "place", "organization", "organization", "other", "other"]


@pytest.mark.parametrize(
    ("corpus", "types"),
    {"btc": "PER LOC ORG", "tweebank_ner": "PER LOC ORG MISC", "twitter2015": "PER LOC ORG OTHER"}.items(),
)
def test_coarse_types_become_kinds(folder, corpus, types):
    data = folder(corpus, "train", "".join(f"it\tB-{name}\n" for name in types.split()))
    kinds = [kind for _, _, kind in load_ner(data, corpus, "train")[0]["mentions"]]
    assert kinds == ["person", "place", "organization", "other"][: len(kinds)]
    assert NER_CORPORA[corpus].unannotated == (("other",) if corpus == "btc" else ())


def test_handles_are_unknown_where_a_corpus_does_not_mark_them(folder):
    text = "@ada\tO\nsaw\tO\n@bob\tB-{person}\n@\tO\neve\tO\n@\tO\n"
    for_wnut = folder("wnut17", "train", text.format(person="person"))
    assert load_ner(for_wnut, "wnut17", "train")[0]["unknown"] == [(0, 1), (3, 5), (5, 6)]
    for_btc = folder("btc", "train", text.format(person="PER"))
    assert load_ner(for_btc, "btc", "train")[0]["unknown"] == []


def test_a_corpus_without_splits_is_split_by_its_sentences(folder):
    data = folder("wikigold", "train", "".join(f"Ada I-PER\nwrote O\nnote O\n{i} O\n\n" for i in range(300)))
    train, validation = (
        {" ".join(row["words"]) for row in load_ner(data, "wikigold", split)} for split in ("train", "validation")
    )
    assert len(train) + len(validation) == 300 and train.isdisjoint(validation) and 15 <= len(validation) <= 45


def test_the_folder_may_be_that_of_the_corpus(folder):
    data = folder("btc", "test", "Ada\tB-PER\n")
    assert ner_file(data, "btc", "test") == ner_file(data / "btc", "btc", "test")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"btc\.dev \(btc, validation\) is neither in"):
        load_ner(tmp_path, "btc", "validation")
    with pytest.raises(ValueError, match='no corpus "conll" of named entities; choose one of'):
        load_ner(tmp_path, "conll", "train")
    with pytest.raises(ValueError, match='wikigold has no split "test"; choose one of'):
        load_ner(tmp_path, "wikigold", "test")
    with pytest.raises(ValueError, match="on_error"):
        load_ner(tmp_path, "btc", "train", on_error="ignore")


@pytest.mark.skipif("NER_DIR" not in os.environ, reason="set NER_DIR to the folder of the corpora of named entities")
@pytest.mark.parametrize(
    ("corpus", "split", "sentences"),
    [
        ("btc", "train", 6338),
        ("wnut17", "train", 3394),
        ("wnut17", "validation", 1009),
        ("tweebank_ner", "train", 1639),
    ],
)
def test_published_corpora_are_read_whole(corpus, split, sentences):
    assert len(load_ner(os.environ["NER_DIR"], corpus, split)) == sentences
