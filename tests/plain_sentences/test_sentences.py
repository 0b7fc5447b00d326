"""The plain sentences themselves: their form, their balance, and that nobody trained on them."""

import ast
import gzip
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from transformers import AutoConfig

from vmhan.bundled_weights import BUNDLED_MODEL
from vmhan.data.schema import SYMMETRIC
from vmhan.evaluation.plain_sentences import HALVES, NO_RELATION, read_plain_sentences

FILE = Path(__file__).with_name("sentences.jsonl")
SENTENCES = read_plain_sentences(FILE)
RELATED = [sentence for sentence in SENTENCES if sentence.relation != NO_RELATION]
#: Corpora lie there, in folders and files of any depth, if they are there at all.
CORPORA = [Path(os.environ[name]) for name in ("MNRE_DIR", "RELATIONS_DIR", "NER_DIR") if name in os.environ]
SUFFIXES = {".txt", ".gz", ".conll", ".annotated", ".bio", ".train", ".dev", ".test"}


def test_every_relation_of_the_bundled_model_has_three_sentences_and_none_has_twenty_or_more():
    labels = AutoConfig.from_pretrained(BUNDLED_MODEL).id2label.values()
    counts = Counter(sentence.relation for sentence in SENTENCES)
    assert counts.pop(NO_RELATION) >= 20
    assert counts == dict.fromkeys(set(labels) - {NO_RELATION}, 3)


def test_lines_hold_these_keys_and_no_others():
    for line in FILE.read_text(encoding="utf-8").splitlines():
        assert list(json.loads(line)) == ["text", "head", "tail", "relation", "half"]


def test_sentences_differ_and_their_entities_neither_overlap_nor_touch_letters():
    assert len({sentence.text for sentence in SENTENCES}) == len(SENTENCES)
    names = [name for sentence in SENTENCES for name in (sentence.head, sentence.tail)]
    assert len(set(names)) == len(names), "no name gives another sentence away"
    for sentence in SENTENCES:
        (_, first_end), (second_start, _) = sorted([sentence.head_span, sentence.tail_span])
        assert first_end < second_start
        for start, end in (sentence.head_span, sentence.tail_span):
            assert not re.match(r"\w", sentence.text[end:]) and not re.search(r"\w$", sentence.text[:start])


def test_text_is_written_as_people_write_it():
    for sentence in SENTENCES:
        assert sentence.text == sentence.text.strip() and not re.search(r"\s[,.;!?]|\s\s", sentence.text)


def test_halves_are_balanced():
    counts = Counter((sentence.relation, sentence.half) for sentence in SENTENCES)
    for relation in {sentence.relation for sentence in RELATED}:
        assert {counts[relation, half] for half in HALVES} == {1, 2}
    assert counts[NO_RELATION, HALVES[0]] == counts[NO_RELATION, HALVES[1]]
    assert len({sum(sentence.half == half for sentence in SENTENCES) for half in HALVES}) == 1


def test_the_order_in_the_text_does_not_tell_the_direction():
    directed = [sentence for sentence in RELATED if sentence.directed]
    assert {sentence.relation for sentence in RELATED if not sentence.directed} == SYMMETRIC
    for half in (*HALVES, None):
        reversed_order = [s.tail_span < s.head_span for s in directed if half in (None, s.half)]
        assert 0.35 <= sum(reversed_order) / len(reversed_order) <= 0.45


def letters(text: str) -> str:
    """Reads the letters and digits of a text, which are the same however it was split into words."""
    return re.sub(r"[\W_]", "", text).casefold()


def words_of_lines(path: Path):
    """Reads the sentences of a file of MNRE, of one in its form, or of one word a line."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="replace") as lines:
        sentence = []
        for line in lines:
            if line.startswith(("{'", '{"')):
                yield "".join((json.loads if path.name.endswith(".jsonl.gz") else ast.literal_eval)(line)["token"])
            elif line.strip():
                sentence.append(line.split()[0])
            else:
                yield "".join(sentence)
                sentence = []
        yield "".join(sentence)


@pytest.mark.data
def test_no_sentence_is_in_a_corpus():
    if not CORPORA:
        pytest.skip("set MNRE_DIR, RELATIONS_DIR or NER_DIR to the folders of the corpora")
    ours, read = {letters(sentence.text) for sentence in SENTENCES}, 0
    for path in (path for folder in CORPORA for path in folder.rglob("*") if path.suffix in SUFFIXES):
        for text in words_of_lines(path):
            read += 1
            assert letters(text) not in ours, path
    assert read > 1000
