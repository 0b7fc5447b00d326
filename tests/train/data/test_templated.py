"""Templates of sentences are well-formed, and the sentences from them the same each time, balanced and readable."""

import ast
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from train.data.corpora import Corpus, read_corpora
from train.data.template_names import ENTITY_OF_KIND, Name, read_fillers, read_names, read_table, table_of_kind
from train.data.template_parser import NO_RELATION, parse_template, read_templates, split_sentence
from train.data.templated import templated_rows
from train.settings_parser import SettingsError
from vmhan.data.schema import SYMMETRIC

TEMPLATES = read_templates()
RELATIONS = [label for label in TEMPLATES if label != NO_RELATION]
#: A citizen of a country has its nationality, though the name of a country is a place.
PLACES_OF = {"/per/misc/nationality": {"country"}}
MNRE_LABELS = 23


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return templated_rows(3000)


def sentences(rows: list[dict]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(tuple(row["words"]) for row in rows))


def test_each_label_of_mnre_has_templates():
    assert len(TEMPLATES) == MNRE_LABELS


@pytest.mark.parametrize("label", RELATIONS)
def test_relation_has_many_templates_of_both_orders(label):
    head_first = [template.text.index("{head:") < template.text.index("{tail:") for template in TEMPLATES[label]]
    assert len(head_first) >= 35
    assert label in SYMMETRIC or min(Counter(head_first).values()) >= 10


def test_many_templates_have_no_relation():
    assert len(TEMPLATES[NO_RELATION]) >= 200


def test_no_template_comes_twice():
    texts = Counter(template.text for templates in TEMPLATES.values() for template in templates)
    assert [text for text, count in texts.items() if count > 1] == []


@pytest.mark.parametrize("label", TEMPLATES)
def test_template_has_head_and_tail_and_slots_of_known_kinds(label):
    for template in TEMPLATES[label]:
        roles = [slot.role for slot in template.slots]
        assert {"head", "tail"} <= set(roles) and len(roles) == len(set(roles)), template.text
        assert {kind for slot in template.slots for kind in slot.kinds} <= set(ENTITY_OF_KIND), template.text
        assert set(template.relations.values()) <= {None, *RELATIONS}, template.text


@pytest.mark.parametrize("label", TEMPLATES)
def test_choices_and_other_slots_of_a_template_are_well_formed(label):
    fillers = {name + number for name in read_fillers() for number in ("", "2")}
    for template in TEMPLATES[label]:
        others = re.sub(r"\{\w+:[\w|]+-?\}", "", template.text)
        assert not re.search(r"\[[^\[\]]*\{\w+:", template.text), template.text  # no mention that may be left out
        for role, form, filler in re.findall(r"\{(?:(\w+)\.(\w+)|(\w+))\}", others):
            assert (role in {slot.role for slot in template.slots} and form) or filler in fillers, template.text
        assert not set("{}[]|") & set(re.sub(r"\{\w+(\.\w+)?\}|\[[^\[\]]+\]", "", others)), template.text


@pytest.mark.parametrize("label", RELATIONS)
def test_kinds_of_slots_are_those_in_the_name_of_the_relation(label):
    for template in TEMPLATES[label]:
        kinds = {slot.role: slot.kinds for slot in template.slots}
        for (head, tail), relation in template.relations.items():
            if relation is None:
                continue
            of_head, of_tail = relation.split("/")[1:3]
            places = PLACES_OF.get(relation, set())
            assert {ENTITY_OF_KIND[kind] for kind in kinds[head]} == {of_head}, template.text
            assert {ENTITY_OF_KIND[kind] for kind in kinds[tail] if kind not in places} <= {of_tail}, template.text


def test_each_kind_has_many_names():
    tables = {kind for kind in table_of_kind() if kind != "place"}
    lists = set(ENTITY_OF_KIND) - tables - {"place", "person", "man", "woman", "given"}
    assert min(len(set(read_names(kind))) for kind in lists) >= 20
    assert min(len({row[kind] for row in read_table(table_of_kind()[kind])}) for kind in tables) >= 20


def test_rows_are_the_same_each_time_and_others_with_another_seed(rows):
    assert templated_rows(3000) == rows
    assert not set(sentences(rows)[:100]) & set(sentences(templated_rows(100, seed=1)))


def test_number_of_sentences_is_as_asked(rows):
    assert len(sentences(rows)) == 3000


def test_rows_are_balanced_over_relations(rows):
    counts = Counter(row["relation"] for row in rows)
    assert set(counts) == set(TEMPLATES)
    of_relations = [counts[relation] for relation in RELATIONS]
    assert max(of_relations) < 1.6 * min(of_relations)


def test_a_quarter_of_the_sentences_has_no_relation(rows):
    related = {tuple(row["words"]) for row in rows if row["relation"] != NO_RELATION}
    assert 0.7 < len(related) / 3000 < 0.8


def test_a_tenth_of_the_sentences_is_in_lower_case(rows):
    lower = sum(" ".join(words).islower() for words in sentences(rows))
    assert 0.07 < lower / 3000 < 0.14


def test_spans_are_disjoint_names(rows):
    for row in rows:
        (start, end), (other_start, other_end) = sorted([row["head_span"], row["tail_span"]])
        assert 0 <= start < end <= other_start < other_end <= len(row["words"])
        for first, last in ((start, end), (other_start, other_end)):
            text = " ".join(row["words"][first:last])
            assert re.search(r"\w", text) and not text.startswith("'s"), row


def test_no_slot_or_mark_of_a_template_is_left(rows):
    for words in sentences(rows):
        assert all(words) and not set("{}[]|") & set("".join(words)), words
        assert "a(n)" not in words and not any(word != word.strip() or " " in word for word in words)


def test_town_lies_in_the_country_that_contains_it(rows):
    countries = {row["city"]: row for row in read_table("places")}
    for row in rows:
        head, tail = (" ".join(row["words"][slice(*row[key])]) for key in ("head_span", "tail_span"))
        if row["relation"] == "/loc/loc/contain" and tail in countries:
            assert any(head in value for value in countries[tail].values()) or head.islower(), row


def test_each_pair_of_a_sentence_is_a_row_and_unnamed_pairs_have_no_relation():
    template = parse_template("{head:man} saw {other:city}, {tail:woman} did not. || head-tail -; tail-other /a/b/c")
    assert template.relations == {("head", "tail"): None, ("tail", "other"): "/a/b/c"}


def test_pair_of_an_unknown_role_is_refused():
    with pytest.raises(ValueError, match="has the pair 'head-third /a/b/c'"):
        parse_template("{head:man} saw {tail:woman}. || head-third /a/b/c")


def test_words_are_split_like_those_of_news():
    words, spans = split_sentence("{head:man}'s dog didn't bark, a(n) odd thing.", {"head": _name("Al B.")})
    assert words == ["Al", "B.", "'s", "dog", "did", "n't", "bark", ",", "an", "odd", "thing", "."]
    assert spans == {"head": (0, 2)}


def test_article_stands_before_a_name_but_not_after_another_one():
    names = {"head": _name("Old Port", "the"), "tail": _name("Bund", "the")}
    words, _ = split_sentence("{head:landmark} is not Lyon's {tail:landmark}", names)
    assert words == ["The", "Old", "Port", "is", "not", "Lyon", "'s", "Bund"]


def test_corpus_of_templates_is_all_for_training():
    rows = read_corpora([Corpus("templates", sentences=50)])["templates"]
    assert {name: bool(of_split) for name, of_split in rows.items()} == {
        "train": True,
        "validation": False,
        "test": False,
    }


def test_corpus_without_sentences_is_refused():
    with pytest.raises(SettingsError, match="sentences 0"):
        Corpus.read({"path": "templates", "sentences": 0})


def test_no_sentence_is_one_of_mnre(rows):
    if "MNRE_DIR" not in os.environ:
        pytest.skip("set MNRE_DIR to the folder of the MNRE files")
    of_mnre = set()
    for path in Path(os.environ["MNRE_DIR"]).glob("mnre_*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        of_mnre |= {tuple(map(str.lower, ast.literal_eval(line)["token"])) for line in lines if line.strip()}
    assert of_mnre and not {tuple(map(str.lower, words)) for words in sentences(rows)} & of_mnre


def _name(text: str, article: str = ""):
    return Name(text, article, gender="man")
