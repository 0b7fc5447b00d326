"""Every command explains itself: what it is called, and each of its options."""

import argparse
from pathlib import Path

import pytest
from command_parser import command_parser

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("vmhan", "train", "hub")
    for path in (ROOT / folder).rglob("*.py")
    if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
)
#: Those that `accelerate launch` starts, by their file.
LAUNCHED = {name: f"accelerate launch {name.replace('.', '/')}.py" for name in ("train.run", "train.detector.run")}


SECTIONS = ("data: --data_dir", "model: --entity_markers", "training: --run_name")


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    """Keeps argparse from breaking lines."""
    monkeypatch.setenv("COLUMNS", "9999")


def test_the_commands_are_found():
    assert {"train.run", "train.compare", "train.search", "train.detector.run", "hub.push"} < set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_has_help(name):
    parser = command_parser(name)
    assert [action.dest for action in parser._actions if not (action.help or "").strip()] == []
    if name.startswith("train"):
        assert parser.format_usage().startswith(f"usage: {LAUNCHED.get(name, f'python -m {name}')}")


def test_the_page_explains_its_options():
    assert all(action.help for action in command_parser("app")._actions)


def help_of(parser: argparse.ArgumentParser) -> str:
    return " ".join(parser.format_help().split())


def test_help_of_training_lists_our_sections_and_says_what_fields_of_the_model_are():
    told = help_of(command_parser("train.run"))
    places = [told.index(section) for section in SECTIONS]
    assert places == sorted(places) and places[-1] < told.index("from transformers.TrainingArguments: --output_dir")
    assert "Weight of pairs without a relation in the cross-entropy; below 1 trades precision for recall." in told
    assert "Dropout on messages and on the input of the classifier." in told


@pytest.mark.parametrize("name", ["train.compare", "train.search"])
def test_help_of_what_trains_several_times_lists_the_settings_too(name):
    told = help_of(command_parser(name))
    assert "data: --data_dir" in told and "--num_layers" in told and "--learning_rate" in told
