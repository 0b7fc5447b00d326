"""A processor belongs to its model: it is saved with it, and one that differs is refused."""

import json
from pathlib import Path

import pytest
import torch
from tiny import (
    LABELS,
    save_tiny_checkpoint,
    tiny_image_processor,
    tiny_model,
    tiny_processor,
    tiny_text_config,
    tiny_tokenizer,
    tiny_vgg_config,
)
from transformers import AutoProcessor, BertModel, RobertaConfig, RobertaModel, pipeline

from vmhan import (
    MultimodalRelationExtractionPipeline,
    VMHANForRelationExtraction,
    VMHANProcessor,
)
from vmhan.processor_check import check_processor
from vmhan.registrations import TASK

REQUEST = {"text": "Ada met Bob in Paris", "entities": ["Ada", "Bob", "Paris"], "description": "Two men and a dog."}
SELECTION = {"selector": "words", "num_text_phrases": 1, "num_visual_phrases": 1, "num_objects": 1}
MARKED = {"entity_markers": "shared", "entity_pool": "mean_marker"}


# Saving and loading


@pytest.mark.parametrize(
    ("settings", "of_processor"),
    [
        (MARKED, {"max_objects": 1, "max_length": 40}),
        ({"entity_markers": "pair"}, {"max_phrase_length": 3}),
        ({"node_selection": SELECTION}, {"node_selection": SELECTION}),
        ({"visual_features": ["pixels"], "vision_config": tiny_vgg_config()}, {}),
    ],
    ids=["shared", "pair", "selected", "pixels"],
)  # fmt: skip
def test_a_saved_pipeline_answers_as_before(settings, of_processor, tmp_path):
    if "vision_config" in settings:
        of_processor = {"image_processor": tiny_image_processor()}
    model = tiny_model(**settings)
    processor = tiny_processor(entity_markers=model.config.entity_markers, **of_processor)
    extract = MultimodalRelationExtractionPipeline(model, processor=processor, task=TASK)
    extract.save_pretrained(tmp_path)
    again = pipeline(TASK, model=str(tmp_path))
    assert again.processor.to_dict() == processor.to_dict()
    assert again(REQUEST) == extract(REQUEST)
    again.save_pretrained(tmp_path / "again")
    assert pipeline(TASK, model=str(tmp_path / "again"))(REQUEST) == extract(REQUEST)


@pytest.mark.parametrize("settings", [{}, MARKED], ids=["none", "shared"])
def test_a_model_without_a_saved_processor_is_refused_with_what_to_do(settings, tmp_path):
    """Not even markers of the config would do: limits and selected nodes stand in the processor alone."""
    model = tiny_model(**settings)
    model.save_pretrained(tmp_path)
    tiny_processor(entity_markers=model.config.entity_markers).tokenizer.save_pretrained(tmp_path)
    for load in (
        lambda: pipeline(TASK, model=str(tmp_path)),
        lambda: VMHANProcessor.from_pretrained(tmp_path),
        lambda: AutoProcessor.from_pretrained(tmp_path),
    ):
        with pytest.raises(OSError, match=r"holds no processor_config.json.*entity_markers.*save_pretrained") as error:
            load()
        assert str(tmp_path) in str(error.value)
    tiny_processor(entity_markers=model.config.entity_markers).save_pretrained(tmp_path)
    assert pipeline(TASK, model=str(tmp_path))(REQUEST)


def test_no_processor_at_all_is_refused():
    with pytest.raises(ValueError, match=r"There is no processor; pass processor=VMHANProcessor"):
        MultimodalRelationExtractionPipeline(tiny_model())


# Differences


@pytest.mark.parametrize(
    ("of_model", "of_processor", "said"),
    [
        (MARKED, {}, 'entity_markers is "none", the model\'s is "shared"'),
        ({}, {"entity_markers": "shared"}, 'entity_markers is "shared", the model\'s is "none"'),
        ({"entity_markers": "shared"}, {"entity_markers": "pair"}, 'is "pair", the model\'s is "shared"'),
        ({}, {"max_length": 513}, "max_length is 513, the text encoder has 512 positions"),
        ({"visual_features": ["pixels"], "vision_config": tiny_vgg_config()}, {},
         r"image_processor is None, the model has a vision encoder \(vmhan_vgg\)"),
        ({"node_selection": SELECTION}, {}, "node_selection is None, the model was trained with .*'words'"),
        ({"node_selection": {}}, {"node_selection": SELECTION},
         "node_selection is .*'selector': 'words'.*, the model was trained with None"),
        ({"node_selection": SELECTION}, {"node_selection": SELECTION | {"num_objects": 2}},
         "'num_objects': 2.*, the model was trained with .*'num_objects': 1"),
    ],
)  # fmt: skip
def test_a_processor_of_other_settings_is_refused_with_both_values(of_model, of_processor, said, tmp_path):
    tiny_model(**of_model).save_pretrained(tmp_path)
    tiny_processor(**of_processor).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"not that of this model: .*{said}.*saved beside the model"):
        pipeline(TASK, model=str(tmp_path))


@pytest.mark.parametrize("known, told", [(SELECTION, SELECTION), ({}, None), (None, SELECTION), (None, None)])
def test_selected_nodes_as_in_training_or_of_a_model_that_says_nothing_are_taken(known, told, tmp_path):
    tiny_model(node_selection=known).save_pretrained(tmp_path)
    tiny_processor(node_selection=told).save_pretrained(tmp_path)
    assert pipeline(TASK, model=str(tmp_path))(REQUEST)


def test_all_differences_are_named_at_once():
    model, processor = tiny_model(**MARKED), tiny_processor(max_length=1000)
    processor.tokenizer.add_tokens(["several", "more", "tokens"])
    tokens = len(processor.tokenizer)
    with pytest.raises(
        ValueError, match=f"entity_markers.*has {tokens} tokens, the model {tokens - 1} emb.*max_length"
    ):
        check_processor(processor, model)


def test_positions_of_roberta_start_behind_its_padding():
    config = RobertaConfig(
        vocab_size=200, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=42, pad_token_id=1,
    )  # fmt: skip
    text_model = RobertaModel(config)
    model = VMHANForRelationExtraction(tiny_model().config, text_model=text_model)
    check_processor(tiny_processor(max_length=40), model)
    with pytest.raises(ValueError, match="max_length is 41, the text encoder has 40 positions"):
        check_processor(tiny_processor(max_length=41), model)
    text_model(torch.full((1, 40), 5))
    with pytest.raises((IndexError, RuntimeError)):
        text_model(torch.full((1, 41), 5))


def test_the_bundled_model_has_its_processor():
    folder = Path(__file__).resolve().parents[2] / "vmhan" / "weights" / "vmhan-mini-mnre"
    check_processor(VMHANProcessor.from_pretrained(folder), VMHANForRelationExtraction.from_pretrained(folder))


# Entity markers of a new model


@pytest.fixture
def text_folder(tmp_path) -> str:
    """A saved BERT with its tokenizer, which knows no marker."""
    torch.manual_seed(5)
    BertModel(tiny_text_config()).save_pretrained(tmp_path / "text")
    tiny_tokenizer().save_pretrained(tmp_path / "text")
    return str(tmp_path / "text")


SETTINGS = {"num_attention_heads": 2, "visual_features": ["text"], "id2label": dict(enumerate(LABELS))}


@pytest.mark.parametrize("markers", ["none", "shared", "pair"])
def test_a_new_model_has_embeddings_for_its_markers(markers, text_folder, tmp_path):
    processor = VMHANProcessor.from_text_pretrained(text_folder, entity_markers=markers)
    model = VMHANForRelationExtraction.from_text_pretrained(text_folder, entity_markers=markers, **SETTINGS)
    check_processor(processor, model)
    rows = model.get_input_embeddings().weight
    assert len(rows) == len(processor.tokenizer)
    for marker, like in processor.markers.items():
        new, old = processor.tokenizer.convert_tokens_to_ids([marker, like])
        assert torch.equal(rows[new], rows[old])
    batch = processor(["Ada met Bob"], [[(0, 3), (8, 11)]], [[(0, 1)]], labels=[[1]])
    model(**batch).loss.backward()
    model.save_pretrained(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved" / "config.json").read_text())
    assert saved["text_config"]["vocab_size"] == len(rows)


def test_learned_markers_are_kept(text_folder, tmp_path):
    """A text encoder that was taken out of a model with markers brings them along."""
    processor = VMHANProcessor.from_text_pretrained(text_folder, entity_markers="shared")
    model = VMHANForRelationExtraction.from_text_pretrained(text_folder, entity_markers="shared", **SETTINGS)
    marker = processor.tokenizer.convert_tokens_to_ids("[E]")
    model.get_input_embeddings().weight.data[marker] = 7.0
    model.vmhan.text_model.save_pretrained(tmp_path / "learnt")
    processor.tokenizer.save_pretrained(tmp_path / "learnt")
    again = VMHANForRelationExtraction.from_text_pretrained(
        str(tmp_path / "learnt"), entity_markers="shared", **SETTINGS
    )
    assert (again.get_input_embeddings().weight[marker] == 7.0).all()


def test_an_encoder_without_a_tokenizer_says_what_to_do(tmp_path, text_folder, caplog):
    BertModel(tiny_text_config()).save_pretrained(tmp_path / "bare")
    weights = BertModel.from_pretrained(tmp_path / "bare").get_input_embeddings().weight
    model = VMHANForRelationExtraction.from_text_pretrained(
        str(tmp_path / "bare"), entity_markers="shared", **SETTINGS
    )
    assert "brings no tokenizer along" in caplog.text and "model.add_tokens(processor.tokenizer" in caplog.text
    assert torch.equal(model.get_input_embeddings().weight, weights), "no token of another is taken for a marker"
    processor = VMHANProcessor.from_text_pretrained(text_folder, entity_markers="shared")
    batch = processor(["Ada met Bob"], [[(0, 3), (8, 11)]], [[(0, 1)]])
    with pytest.raises(ValueError, match=r"wordpiece \d+, but the text encoder has \d+ embeddings.*model.add_tokens"):
        model(**batch)
    model.add_tokens(processor.tokenizer, processor.markers)
    assert model(**batch).logits.isfinite().all()


@pytest.mark.parametrize("word_dropout", [0.0, 0.5])
def test_a_model_without_markers_names_the_tokens_of_another_processor(word_dropout, text_folder):
    processor = VMHANProcessor.from_text_pretrained(text_folder, entity_markers="pair")
    model = VMHANForRelationExtraction.from_text_pretrained(text_folder, word_dropout=word_dropout, **SETTINGS)
    with pytest.raises(ValueError, match="Build both with the same entity_markers"):
        model(**processor(["Ada met Bob"], [[(0, 3), (8, 11)]], [[(0, 1)]]))


def test_a_text_that_is_too_long_for_the_encoder_is_no_matter_of_tokens():
    model = tiny_model()
    ids = torch.full((1, 600), 5)
    spans = torch.tensor([[1, 2]])
    with pytest.raises((IndexError, RuntimeError)) as error:
        model(ids, torch.ones_like(ids), torch.tensor([0]), spans, spans + 2)
    assert "embeddings" not in str(error.value)


def test_a_checkpoint_loads_as_it_was_saved(tmp_path):
    folder = save_tiny_checkpoint(tmp_path, **MARKED)
    model, again = tiny_model(**MARKED), VMHANForRelationExtraction.from_pretrained(folder)
    assert torch.equal(again.get_input_embeddings().weight, model.get_input_embeddings().weight)
