"""The hint that a text is in a script that a model has not seen."""

import pytest
from mnre_fixture import write_mnre
from tiny import save_tiny_checkpoint
from training_fixture import write_text_encoder
from transformers import pipeline

from train.arguments import read_config
from train.data.inputs import prepare_rows
from train.model_factory import build_model, build_processor
from vmhan import VMHANConfig
from vmhan.extraction_request import read_request
from vmhan.registrations import TASK
from vmhan.text_checks import find_training_scripts, script_shares, script_warning

RUSSIAN = "Ада встретила Боба в Париже"


def test_shares_are_of_letters_alone():
    assert script_shares("Ada и 12 !?") == {"LATIN": 0.75, "CYRILLIC": 0.25}
    assert script_shares("1 + 1 = 2 🎉") == {}


@pytest.mark.parametrize("text", ["Ａｄａ", "𝓐𝓭𝓪", "Zoe\u0308", "ﬁn"])
def test_letters_of_another_width_or_style_are_of_the_same_script(text):
    assert script_shares(text) == {"LATIN": 1.0}


@pytest.mark.parametrize(
    "text, named",
    [
        (RUSSIAN, "CYRILLIC"),
        ("アダは北京でボブに会った", "HIRAGANA, KATAKANA, CJK;"),
        ("محمد في باريس", "ARABIC"),
        (f"{RUSSIAN} @AdaLovelace https://example.org/a-very-long-address-in-latin-letters", "CYRILLIC"),
    ],
)
def test_a_text_in_another_script_has_a_warning(text, named):
    warning = script_warning(text, ["LATIN"])
    assert warning.startswith(f"The text is mostly {named}") and "this model was trained on LATIN text" in warning


@pytest.mark.parametrize(
    "text, scripts",
    [
        ("Ada met Bob", ["LATIN"]),
        ("Ada met Bob in Москва", ["LATIN"]),
        (RUSSIAN, ["CYRILLIC", "LATIN"]),
        (RUSSIAN, None),
        ("12 🎉", ["LATIN"]),
    ],
)
def test_a_text_that_the_model_may_know_has_none(text, scripts):
    assert script_warning(text, scripts) is None


def test_training_scripts_are_those_of_two_percent_of_the_letters():
    assert find_training_scripts([["a" * 97], ["и", "м" * 2]]) == ["CYRILLIC", "LATIN"]
    assert find_training_scripts([["a" * 99], ["и"]]) == ["LATIN"]
    assert find_training_scripts([["1"], []]) is None


def test_the_pipeline_hands_its_scripts_to_the_request(tmp_path):
    extract = pipeline(TASK, model=save_tiny_checkpoint(tmp_path, training_scripts=["LATIN"]))
    asked = {"text": RUSSIAN, "entities": ["Ада", "Боба"]}
    request = extract.preprocess(asked)
    assert request.warnings[0].startswith("The text is mostly CYRILLIC")
    assert read_request(asked).warnings == []


@pytest.mark.parametrize(
    "text, told",
    [
        ("Ada met Bob in Москва", None),
        ("Ada met 🎉 🎉 🎉", None),
        ("Ада met Боба Bob", None),  # a half
        ("Ада met Боба", "knows 1 of the 3 words"),
        ("Ада 12 встретила [UNK] Боба", "knows 1 of the 4 words"),
    ],
)
def test_a_text_whose_words_the_encoder_does_not_know_has_a_warning(tmp_path, text, told):
    extract = pipeline(TASK, model=save_tiny_checkpoint(tmp_path))
    request = extract.preprocess({"text": text, "entities": [(0, 3), (4, 7)]})
    assert len(request.warnings) == (told is not None)
    assert all(told in warning for warning in request.warnings)


def test_the_bundled_model_says_that_it_read_latin_text():
    assert VMHANConfig.from_pretrained("vmhan/weights/vmhan-mini-mnre").training_scripts == ["LATIN"]


@pytest.mark.parametrize("given, kept", [([], ["LATIN"]), (["--training_scripts", "GREEK"], ["GREEK"])])
def test_training_keeps_the_scripts_of_its_text(tmp_path, given, kept):
    encoder, folder = write_text_encoder(tmp_path / "text"), write_mnre(tmp_path / "mnre", sentences=4)
    words = ["--data_dir", str(folder), "--text_model", encoder, "--output_dir", str(tmp_path), "--use_cpu", "true"]
    small = ["--hidden_size", "16", "--num_attention_heads", "2"]
    config = read_config(["train/configs/mnre/mini.yaml", *words, *small, *given])
    processor = build_processor(config)
    model = build_model(config, processor, prepare_rows(config, processor))
    model.save_pretrained(tmp_path / "saved")
    assert VMHANConfig.from_pretrained(tmp_path / "saved").training_scripts == kept
