import json
from dataclasses import fields
from typing import Literal, get_args, get_origin

import pytest
from huggingface_hub.errors import StrictDataclassError
from tiny import tiny_config
from transformers import AutoConfig, BertConfig

from vmhan import NO_RELATION, VMHANConfig

WORDS = {field.name: get_args(field.type) for field in fields(VMHANConfig) if get_origin(field.type) is Literal}


def test_defaults_are_our_reading_of_the_paper():
    config = VMHANConfig()
    assert (config.entity_markers, config.entity_pool, config.visual_features) == ("none", "mean", ["pixels"])
    assert (config.visual_hidden_size, config.hidden_size, config.message_dropout) == (4096, 768, 0.6)
    assert isinstance(config.text_config, BertConfig)
    assert config.no_relation == NO_RELATION == "None"


def test_json_round_trip_keeps_every_field():
    config = tiny_config(visual_features=["box", "text"], update="sequential", kl_weight=0.5, num_layers=3)
    again = VMHANConfig.from_dict(json.loads(config.to_json_string(use_diff=False)))
    assert again.to_dict() == config.to_dict()
    assert again.text_config.vocab_size == config.text_config.vocab_size
    assert again.id2label == config.id2label


def test_reloaded_config_is_the_same_and_the_auto_class_knows_it(tmp_path):
    config = tiny_config(entity_markers="shared", entity_pool="mean_marker")
    config.save_pretrained(tmp_path)
    for again in (VMHANConfig.from_pretrained(tmp_path), AutoConfig.from_pretrained(tmp_path)):
        assert type(again) is VMHANConfig
        assert again.to_diff_dict() == config.to_diff_dict()


def test_labels_give_their_number():
    assert VMHANConfig(id2label={0: "None", 1: "a", 2: "b"}).num_labels == 3


def test_two_configs_share_no_list():
    VMHANConfig().visual_features.append("text")
    assert VMHANConfig().visual_features == ["pixels"]


def test_text_config_may_be_a_dict():
    config = VMHANConfig(text_config={"model_type": "bert", "hidden_size": 24, "num_attention_heads": 2})
    assert isinstance(config.text_config, BertConfig)
    assert config.text_config.hidden_size == 24


@pytest.mark.parametrize(
    "name, value",
    [
        ("hidden_size", "768"),
        ("num_layers", 2.0),
        ("tie_scores", "yes"),
        ("kl_weight", None),
        ("visual_features", "pixels"),
        ("visual_features", [1]),
        ("text_config", "bert-base-uncased"),
        ("no_relation", 0),
    ],
)
def test_a_wrong_type_is_refused_at_the_start_and_later(name, value):
    with pytest.raises(StrictDataclassError, match=name):
        VMHANConfig(**{name: value})
    config = VMHANConfig()
    with pytest.raises(StrictDataclassError, match=name):
        setattr(config, name, value)


@pytest.mark.parametrize("name", WORDS)
def test_an_unknown_word_is_refused_and_the_known_ones_are_named(name):
    with pytest.raises(StrictDataclassError, match="expected one of") as error:
        VMHANConfig(**{name: "nonsense"})
    assert all(repr(word) in str(error.value) for word in WORDS[name])
    with pytest.raises(StrictDataclassError, match="nonsense"):
        setattr(VMHANConfig(), name, "nonsense")


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"hidden_size": 30, "num_attention_heads": 8}, "hidden_size 30 .* num_attention_heads 8"),
        ({"num_attention_heads": 0}, "num_attention_heads 0"),
        ({"visual_features": ["pixels", "sound"]}, "sound.*must be .*'pixels', 'text', 'box'"),
        ({"visual_features": ["text", "text"]}, "distinct"),
        ({"entity_pool": "marker"}, 'entity_pool "marker" needs entity_markers'),
        ({"entity_pool": "mean_marker", "entity_markers": "none"}, 'entity_pool "mean_marker" needs entity_markers'),
        ({"message_dropout": 1.5}, "message_dropout 1.5"),
        ({"classifier_dropout": -0.1}, "classifier_dropout -0.1"),
        ({"image_dropout": 2}, "image_dropout 2"),
        ({"description_dropout": float("nan")}, "description_dropout nan"),
        ({"kl_weight": -1}, "kl_weight -1 is negative"),
        ({"no_relation_weight": -0.5}, "no_relation_weight -0.5"),
        ({"hyperedges": ["global", "local"]}, "hyperedges .*local"),
        ({"hyperedges": ["global", "pairwise"]}, "hyperedges .*pairwise"),
        ({"hyperedges": ["pairwise"], "hyperedge_init": "mean+type"}, "needs types"),
        ({"variational": False, "sample": "classifier"}, 'sample "classifier" needs variational'),
        ({"variational": False, "structure_encoder": "variational_gcn"}, "needs variational"),
        ({"num_layers": -1}, "num_layers -1"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(settings, message):
    with pytest.raises(StrictDataclassError, match=message):
        VMHANConfig(**settings)


def test_a_wrong_value_that_came_in_later_is_not_saved(tmp_path):
    config = VMHANConfig()
    config.hidden_size = 30
    with pytest.raises(StrictDataclassError, match="hidden_size 30"):
        config.save_pretrained(tmp_path)


def test_whole_numbers_serve_as_rates_and_weights():
    config = VMHANConfig(message_dropout=0, kl_weight=1)
    assert (config.message_dropout, config.kl_weight) == (0, 1)
