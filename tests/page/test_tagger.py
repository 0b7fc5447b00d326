"""Entity suggestions of a tagger, and the fallback to capital letters."""

import pytest
import torch
from tiny import tiny_text_config, tiny_tokenizer
from transformers import BertForTokenClassification

from page.entity_spans import EntitySelection, entity_character_spans
from page.extractor import Extractor
from page.handlers import Handlers
from page.tagger import Tagger


def picked(entities: EntitySelection) -> list[str]:
    """The text of the entities."""
    return [entities.sentence[start:end] for start, end in entity_character_spans(entities)]


@pytest.fixture
def tagger(tmp_path) -> str:
    """A random model that marks names; returns its folder."""
    config = tiny_text_config(id2label={0: "O", 1: "B-PER", 2: "I-PER"}, label2id={"O": 0, "B-PER": 1, "I-PER": 2})
    model = BertForTokenClassification(config)
    model.classifier.bias.data[:] = 0
    model.classifier.bias.data[1] = 9  # so that it marks every word
    model.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    return str(tmp_path)


def test_a_tagger_suggests_what_it_marks(tagger):
    assert "".join(picked(Tagger(tagger).suggest("ada met bob"))).replace(" ", "") == "adametbob"
    handlers = Handlers(Extractor("unused", tagger=tagger))
    assert handlers.suggest_entities("ada met bob").word_spans, "there is no capital letter"


def test_kinds_are_those_of_the_taggers_tags(tagger):
    findings = Tagger(tagger).suggest("ada met bob").findings
    assert {finding.kind for finding in findings} == {"person"}
    assert all(0 < finding.score <= 1 for finding in findings)


def test_a_tagger_that_is_unavailable_leaves_capital_letters_and_is_not_tried_again(tmp_path, caplog):
    handlers = Handlers(Extractor("unused", tagger=str(tmp_path / "nowhere")))
    for _ in range(2):
        assert picked(handlers.suggest_entities("ada met Bob")) == ["Bob"]
    assert caplog.text.count("The tagger is unavailable now") == 1


def test_a_tagger_that_fails_leaves_capital_letters(tagger):
    handlers = Handlers(Extractor("unused", tagger=tagger))
    handlers.extractor.get_tagger().find.model.classifier.bias.data = torch.zeros(0)
    assert picked(handlers.suggest_entities("ada met Bob")) == ["Bob"]
