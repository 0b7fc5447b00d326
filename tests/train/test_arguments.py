"""Settings: a YAML file, overridden on the command line, with no unknown name let through."""

from argparse import ArgumentError

import pytest

from train.arguments import read_config
from train.settings_parser import SettingsError
from vmhan import VMHANConfig

MINI = "train/configs/mnre/mini.yaml"


def sections(words):
    config = read_config(words)
    return config.data, config.model, config.training


def write(folder, text):
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_yaml_sets_fields_of_all_three_sections():
    data, model, training = sections([MINI])
    assert data.visual_setting == "described"
    assert model.entity_markers == "shared" and model.visual_features == ["text"]
    assert training.metric_for_best_model == "direction_unknown_f1" and training.load_best_model_at_end is True


def test_command_line_overrides_yaml_in_every_section():
    words = [
        "--data_dir",
        "elsewhere",
        "--entity_markers",
        "pair",
        "--learning_rate=1e-3",
        "--visual_features",
        "text",
        "box",
    ]
    data, model, training = sections([MINI, *words])
    assert data.data_dir == "elsewhere"
    assert model.entity_markers == "pair" and model.visual_features == ["text", "box"]
    assert training.learning_rate == 1e-3


def test_every_model_setting_is_a_config_field_with_its_default(tmp_path):
    _, model, _ = sections([write(tmp_path, "data: {data_dir: x}\ntraining: {output_dir: y}")])
    config = VMHANConfig()
    assert "message_dropout" in vars(model)
    assert all(getattr(config, name) == value for name, value in vars(model).items())


def test_unknown_setting_in_yaml_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(SettingsError, match=r"'learnig_rate'.*'learning_rate'"):
        read_config([write(tmp_path, "training: {learnig_rate: 1.0e-4}")])


def test_unknown_setting_on_the_command_line_is_refused_with_the_nearest_name():
    with pytest.raises(SettingsError, match=r"'entity_marker'.*'entity_markers'"):
        read_config([MINI, "--entity_marker", "pair"])


def test_unknown_section_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(SettingsError, match=r"'trainning'.*'training'"):
        read_config([write(tmp_path, "trainning: {seed: 1}")])


def test_value_of_the_wrong_type_is_refused():
    with pytest.raises(ArgumentError, match="num_layers"):
        read_config([MINI, "--num_layers", "many"])


def test_word_outside_the_choices_is_refused():
    with pytest.raises(ArgumentError, match="visual_setting"):
        read_config([MINI, "--visual_setting", "smelled"])


def test_missing_settings_file_is_named():
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        read_config(["nowhere.yaml"])


def write_base(folder):
    write(folder, "data: {data_dir: x, boxes: detect}\nmodel: {num_layers: 3}\ntraining: {output_dir: y, seed: 5}")
    (folder / "inner").mkdir()
    return folder / "inner"


def test_a_file_adds_to_the_one_it_extends_and_has_the_last_word(tmp_path):
    inner = write_base(tmp_path)
    middle = write(inner, "extends: ../settings.yaml\nmodel: {num_attention_heads: 2, num_layers: 1}")
    (tmp_path / "outer.yaml").write_text("extends: inner/settings.yaml\ndata: {boxes: null}\ntraining: {seed: 6}")
    data, model, training = sections([str(tmp_path / "outer.yaml")])
    assert (data.data_dir, data.boxes, training.seed) == ("x", None, 6)
    assert (model.num_layers, model.num_attention_heads) == (1, 2)
    assert read_config([middle]).training.seed == 5
    assert read_config([middle, "--seed", "7"]).training.seed == 7


def test_settings_that_extend_each_other_are_refused(tmp_path):
    inner = write_base(tmp_path)
    path = write(inner, "extends: ../settings.yaml")
    write(tmp_path, "extends: inner/settings.yaml")
    with pytest.raises(SettingsError, match=r"extend each other: .*settings\.yaml -> .*settings\.yaml -> "):
        read_config([path])


def test_missing_base_is_named_with_the_file_that_extends_it(tmp_path):
    path = write(tmp_path, "extends: nowhere.yaml")
    with pytest.raises(SettingsError, match=r"nowhere\.yaml', which .*settings\.yaml extends"):
        read_config([path])


def test_unknown_setting_of_a_base_is_refused(tmp_path):
    inner = write_base(tmp_path)
    write(tmp_path, "training: {learnig_rate: 1.0e-4}")
    with pytest.raises(SettingsError, match=r"'learnig_rate'.*'learning_rate'"):
        read_config([write(inner, "extends: ../settings.yaml")])


@pytest.mark.parametrize("word", ["none", "null", "None", ""])
def test_what_may_be_left_out_is_left_out_on_the_command_line(tmp_path, word):
    said = "data: {boxes: detect, image_dir: x, limit: 3}\ntraining: {text_model: y, early_stopping_patience: 2}"
    path = write(tmp_path, said)
    names = ("descriptions", "boxes", "detector", "image_dir", "limit", "text_model", "early_stopping_patience")
    data, _, training = sections([path, *(piece for name in names for piece in (f"--{name}", word))])
    assert [{**vars(data), **vars(training)}[name] for name in names] == [None] * len(names)


@pytest.mark.parametrize("value", ["null", "none", '""'])
def test_what_may_be_left_out_is_left_out_in_yaml_too(tmp_path, value):
    path = write(tmp_path, f"data: {{descriptions: {value}, boxes: {value}, detector: {value}, limit: {value}}}")
    data = read_config([path]).data
    assert (data.descriptions, data.boxes, data.detector, data.limit) == (None, None, None, None)
    inner = tmp_path / "inner.yaml"
    inner.write_text("extends: settings.yaml\ndata: {descriptions: other}", encoding="utf-8")
    assert read_config([str(inner)]).data.descriptions == "other"


def test_null_is_the_default_of_what_may_not_be_left_out(tmp_path):
    path = write(tmp_path, "data: {max_objects: null, selector: null}\nmodel: {num_layers: null}")
    data, model, _ = sections([path])
    assert (data.max_objects, data.selector, model.num_layers) == (3, "none", 2)


def test_none_stays_a_word_where_it_says_something(tmp_path):
    words = ["--no_relation", "none", "--report_to", "none", "--control", "none", "--structure_encoder", "none"]
    data, model, training = sections([write(tmp_path, "data: {}"), *words])
    assert (data.no_relation, data.control, model.structure_encoder) == ("none", "none", "none")
    assert training.report_to == []


def test_a_list_may_be_empty(tmp_path):
    path = write(tmp_path, "model: {visual_features: []}\ntraining: {teachers: []}")
    _, model, training = sections([path, "--freeze"])
    assert (model.visual_features, training.teachers, training.freeze) == ([], [], [])


def test_switches_of_the_help_override_yaml(tmp_path):
    path = write(tmp_path, "data: {captions: true}")
    assert read_config([path, "--no_captions"]).data.captions is False
