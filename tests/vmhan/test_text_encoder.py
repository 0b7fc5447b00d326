"""What is named as a text encoder is one, or the message says what it is and what to name."""

import shutil
from pathlib import Path

import pytest
from tiny import save_tiny_checkpoint
from training_fixture import write_settings, write_text_encoder
from transformers import AutoConfig, AutoModel, T5Config, T5Model, ViTConfig, ViTModel

from train import run
from vmhan import VMHANForRelationExtraction, VMHANProcessor

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
TINY_T5 = {"vocab_size": 50, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
MODEL, PROCESSOR = VMHANForRelationExtraction.from_text_pretrained, VMHANProcessor.from_text_pretrained


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """Folders that are and are not text encoders."""
    root = tmp_path_factory.mktemp("encoders")
    write_text_encoder(root / "text")
    shutil.copytree(root / "text", root / "no weights", ignore=shutil.ignore_patterns("*.safetensors"))
    shutil.copytree(root / "text", root / "no tokenizer", ignore=shutil.ignore_patterns("tokenizer*"))
    save_tiny_checkpoint(root / "finished")
    ViTModel(ViTConfig(**TINY, image_size=16, patch_size=8)).save_pretrained(root / "vit")
    T5Model(T5Config(**TINY_T5)).save_pretrained(root / "t5")
    (root / "empty").mkdir()
    return root


@pytest.mark.parametrize("load", [MODEL, PROCESSOR], ids=["model", "processor"])
@pytest.mark.parametrize(
    "name, error, why",
    [
        ("finished", ValueError, r"finished VM-HAN, no text encoder.*from_pretrained.*--checkpoint"),
        ("vit", ValueError, "is a vit, which reads no text.*bert-base-uncased"),
        ("t5", ValueError, "is a t5, an encoder with a decoder.*bert-base-uncased"),
        ("empty", ValueError, r"no text encoder: the folder has no config\.json.*bert-base-uncased"),
        ("nowhere", OSError, 'text encoder ".*nowhere" is no folder with a config.json'),
    ],
)
def test_what_is_no_text_encoder_is_called_by_its_kind(folders, load, name, error, why):
    with pytest.raises(error, match=why):
        load(str(folders / name))


def test_an_encoder_without_weights_or_without_a_tokenizer_says_so(folders):
    with pytest.raises(OSError, match="no weights"):
        MODEL(str(folders / "no weights"))
    with pytest.raises(ValueError, match="has no tokenizer; put its files"):
        PROCESSOR(str(folders / "no tokenizer"))


@pytest.mark.parametrize("kind, offset", [("bert", 0), ("roberta", 2)])
def test_no_sentence_is_longer_than_the_encoder_has_positions_for(folders, tmp_path, kind, offset):
    folder = shutil.copytree(folders / "text", tmp_path / kind)
    config = AutoConfig.for_model(kind, **TINY, vocab_size=141, max_position_embeddings=20, pad_token_id=1)
    AutoModel.from_config(config).save_pretrained(folder)
    processor = PROCESSOR(str(folder), max_length=100)
    assert processor.max_length == 20 - offset
    with pytest.raises(ValueError, match=rf"at most {20 - offset}"):
        processor(["a" * 30], [[(0, 1), (2, 3)]], [[(0, 1)]])
    longest = processor(["a" * (18 - offset)], [[(0, 1), (2, 3)]], [[(0, 1)]])
    assert MODEL(str(folder), visual_features=["text"])(**longest).logits.isfinite().all()


@pytest.mark.parametrize("name, why", [("finished", "is a finished VM-HAN"), ("text", "is a bert, which reads text")])
def test_what_is_no_vision_encoder_is_called_by_its_kind(folders, name, why):
    with pytest.raises(ValueError, match=why):
        VMHANForRelationExtraction.from_text_vision_pretrained(str(folders / "text"), str(folders / name))


@pytest.mark.parametrize(
    "setting, name, why",
    [
        ("--text_model", "finished", "finished VM-HAN.*--checkpoint"),
        ("--checkpoint", "text", "is a bert, no finished VM-HAN; .*--text_model"),
        ("--checkpoint", "empty", "holds no finished VM-HAN"),
        ("--teachers", "text", "is a bert, no finished VM-HAN"),
    ],
)
def test_training_refuses_what_is_named_in_the_wrong_setting(folders, tmp_path, setting, name, why):
    with pytest.raises(ValueError, match=why):
        run.main([write_settings(tmp_path), setting, str(folders / name)])


def test_the_output_folder_of_a_run_named_as_its_checkpoint_points_to_the_finished_model(folders, tmp_path):
    shutil.copytree(folders / "finished", tmp_path / "output" / "final")
    with pytest.raises(ValueError, match=r"no config\.json\. Name .*output/final"):
        run.main([write_settings(tmp_path), "--checkpoint", str(tmp_path / "output")])
