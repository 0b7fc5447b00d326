"""Every command explains itself: what it is called, and each of its options."""

import argparse
import runpy
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("train", "hub")
    for path in (ROOT / folder).glob("*.py")
    if "__main__" in path.read_text(encoding="utf-8")
)
#: Those that `accelerate launch` starts, by their file.
LAUNCHED = {name: f"accelerate launch {name.replace('.', '/')}.py" for name in ("train.run", "train.detector.run")}


SECTIONS = ("data: --data_dir", "model: --entity_markers", "training: --run_name")


class Asked(Exception):
    """Carries the parser that was asked for help."""


@pytest.fixture
def parser_of(monkeypatch):
    """The parser that a command reads `--help` with."""

    def refuse(parser, *args):
        raise Asked(parser)

    def ask(name) -> argparse.ArgumentParser:
        monkeypatch.setenv("COLUMNS", "9999")  # so that no line is broken
        monkeypatch.setattr(argparse.ArgumentParser, "print_help", refuse)
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.setattr(sys, "argv", [name, "--help"])
        with pytest.raises(Asked) as asked, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # it has been imported already
            runpy.run_module(name, run_name="__main__")
        return asked.value.args[0]

    return ask


def test_the_commands_are_found():
    assert {"train.run", "train.compare", "train.search", "train.detector.run", "hub.push"} < set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_has_help(name, parser_of):
    parser = parser_of(name)
    assert [action.dest for action in parser._actions if not (action.help or "").strip()] == []
    if name.startswith("train"):
        assert parser.format_usage().startswith(f"usage: {LAUNCHED.get(name, f'python -m {name}')}")


def test_the_page_explains_its_options(parser_of):
    assert all(action.help for action in parser_of("app")._actions)


def help_of(parser: argparse.ArgumentParser) -> str:
    return " ".join(parser.format_help().split())


def test_help_of_training_lists_our_sections_and_says_what_fields_of_the_model_are(parser_of):
    told = help_of(parser_of("train.run"))
    places = [told.index(section) for section in SECTIONS]
    assert places == sorted(places) and places[-1] < told.index("from transformers.TrainingArguments: --output_dir")
    assert "Weight of pairs without a relation in the cross-entropy; below 1 trades precision for recall." in told
    assert "Dropout on messages and on the input of the classifier." in told


@pytest.mark.parametrize("name", ["train.compare", "train.search"])
def test_help_of_what_trains_several_times_lists_the_settings_too(name, parser_of):
    told = help_of(parser_of(name))
    assert "data: --data_dir" in told and "--num_layers" in told and "--learning_rate" in told
