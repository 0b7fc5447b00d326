"""Annotation styles in which a model answers."""

import pytest
import torch
from mnre_fixture import write_mnre
from tiny import tiny_model, tiny_processor

from train.answers import answer_split, chosen_style
from train.data.collator import PairCollator
from train.settings_parser import SettingsError
from vmhan import VMHANConfig
from vmhan.data.mnre import load_mnre

STYLES = ["general", "mnre"]


def test_the_style_is_the_chosen_one_or_the_first_of_the_model():
    config = VMHANConfig(annotation_styles=STYLES)
    assert chosen_style(config, None) == "general" and chosen_style(config, "mnre") == "mnre"
    assert chosen_style(VMHANConfig(), None) is None
    with pytest.raises(SettingsError, match="it knows 'general', 'mnre'"):
        chosen_style(config, "news")


def test_confidence_has_the_temperature_of_the_style(tmp_path):
    rows = load_mnre(write_mnre(tmp_path))["validation"]
    names = rows.features["relation"].names
    hot = dict.fromkeys(("no_relation", "relation"), 4.0)
    temperatures = {"mnre": {"direction_unknown": hot, "direction_given": hot}}
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}
    model = tiny_model(annotation_styles=STYLES, temperatures=temperatures, **labels)
    torch.nn.init.zeros_(model.vmhan.style_embedding.weight)  # so that the styles differ in nothing else
    collator = PairCollator(tiny_processor(), "text_only")
    general, mnre = (answer_split(model, collator, rows, 16, annotation_style=style) for style in STYLES)
    for mode in general:
        of_general, of_mnre = (of_style[mode].answers for of_style in (general, mnre))
        assert of_general.scores.argmax(axis=1).tolist() == of_mnre.scores.argmax(axis=1).tolist()
        assert (of_mnre.confidence < of_general.confidence).all()
