"""Reads settings: a YAML file with a section for each dataclass, and overrides on the command line.

An unknown name is refused, with the nearest one. `none`, `null` or nothing at all leave out a setting that may be left
out, as in `--descriptions none`; so does `null` in YAML, which for all other settings means their default.

`extends: ../compare.yaml` on the top level of a file takes the settings of another one first, whose path is counted
from the folder of the file that names it; what the file itself says counts more.
"""

import argparse
import difflib
import functools
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, field, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml
from transformers import HfArgumentParser, TrainingArguments

NONE_WORDS = ("", "none", "null")
#: In a docstring, names, perhaps their type in brackets, and what they are, which goes on in lines further in.
_DOCUMENTED = re.compile(r"^ {4}(\w+(?:, \w+)*)(?: \(.*\))?:(.*\n(?: {8}.*\n)*)", re.MULTILINE)


class SettingsError(ValueError):
    """Settings that are unknown, or do not go together, with what to set."""


@contextmanager
def usage_errors(command: str) -> Iterator[None]:
    """Ends the process with one line and exit code 2, as argparse does, where the settings are wrong."""
    try:
        yield
    except (SettingsError, argparse.ArgumentError) as error:
        print(f"{command}: error: {error}", file=sys.stderr)
        sys.exit(2)


class SettingsParser(HfArgumentParser):
    """An option for each field of some dataclasses, by section in `--help`.

    Args:
        sections: A dataclass for each section of the YAML file, by its name. The metadata of a field hold its `help`.
        names_none: Settings that "none" may be the name of something for, so that it does not leave them out.
        of_parser: Further arguments of `argparse.ArgumentParser`.
    """

    def __init__(self, sections: dict[str, type], names_none: Sequence[str] = (), **of_parser):
        usage = "%(prog)s settings.yaml [--name value ...]"
        super().__init__(sections.values(), usage=usage, exit_on_error=False, allow_abbrev=False, **of_parser)
        self.sections = tuple(sections)
        self.known = {field.name for kind in self.dataclass_types for field in fields(kind) if field.init}
        self.optional = {name for kind in self.dataclass_types for name in _optional(kind)} - set(names_none)
        for action in self._actions:
            if action.dest in self.optional and action.nargs != 0:
                action.type = _or_none(action.type)
            if action.type is dict:
                action.type = _read_mapping
            if action.nargs == "+":
                action.nargs = "*"  # a list may be empty

    def _add_dataclass_arguments(self, dtype: type) -> None:
        """Lists the fields that a dataclass inherits from `transformers` in a section of their own, after ours."""
        super()._add_dataclass_arguments(dtype)
        if not issubclass(dtype, TrainingArguments):
            return
        ours = self._action_groups[-1]
        theirs = self.add_argument_group(f"{ours.title}, from transformers.TrainingArguments")
        inherited = {field.name for field in fields(TrainingArguments)} - inspect.get_annotations(dtype).keys()
        theirs._group_actions = [action for action in ours._group_actions if action.dest in inherited]
        ours._group_actions = [action for action in ours._group_actions if action.dest not in inherited]

    def read(self, argv: Sequence[str]) -> tuple[Any, ...]:
        """Reads `settings.yaml [--name value ...]` into one dataclass for each section; or shows `--help` and exits.

        Raises:
            SettingsError: There is no file, or a section or field does not exist, with the nearest name.
            argparse.ArgumentError: A value has the wrong type.
        """
        if {"-h", "--help"} & set(argv):
            self.print_help()
            self.exit()
        if not argv or argv[0].startswith("--"):
            raise SettingsError("Name the settings first, for example train/configs/mnre/mini.yaml.")
        settings = _read_yaml(Path(argv[0]), self.sections)
        for name in settings:
            self._check(name)
        overrides = {self._setting_of(word) for word in argv[1:] if word.startswith("--")}
        words = [
            word for name, value in settings.items() if name not in overrides for word in self._as_words(name, value)
        ]
        return self.parse_args_into_dataclasses([*words, *argv[1:]])

    def format_sections(self) -> str:
        """Formats the part of the help that lists the options."""
        formatter = self._get_formatter()
        for group in self._action_groups[2:]:  # those before it hold --help
            formatter.start_section(group.title)
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        return formatter.format_help()

    def _setting_of(self, word: str) -> str:
        option = word.split("=")[0]
        if option in self._option_string_actions:
            return self._option_string_actions[option].dest
        name = option.removeprefix("--").replace("-", "_")
        self._check(name)
        return name

    def _check(self, name: str) -> None:
        if name not in self.known:
            raise SettingsError(f"There is no setting {name!r}.{_nearest(name, self.known)}")

    def _as_words(self, name: str, value: Any) -> list[str]:
        if value is None:
            return [f"--{name}", "none"] if name in self.optional else []
        if isinstance(value, list):
            return [f"--{name}", *(json.dumps(item) if isinstance(item, dict) else str(item) for item in value)]
        return [f"--{name}", str(value)]


class ParserBesideSettings(argparse.ArgumentParser):
    """An argument parser of a command that takes settings too, which its help lists after its own options.

    Args:
        settings: Reads them.
        of_parser: Further arguments of `argparse.ArgumentParser`.
    """

    def __init__(self, settings: SettingsParser, **of_parser):
        super().__init__(allow_abbrev=False, **of_parser)  # --seed is a setting, not short for --seeds
        self.settings = settings

    def format_help(self) -> str:
        title = "Any of the settings of train/run.py, in place of what the settings file says:"
        return f"{super().format_help()}\n{title}\n\n{self.settings.format_sections()}"


def with_help(of_settings: Field, kind: type) -> Field:
    """Copies a field, with its default, for another dataclass; its help comes from the docstring of `kind`."""
    default = {name: getattr(of_settings, name) for name in ("default", "default_factory")}
    default = {name: value for name, value in default.items() if value is not MISSING}
    return field(**default, metadata={"help": docstring_help(kind).get(of_settings.name)})


def docstring_help(kind: type) -> dict[str, str]:
    """Reads the help of each argument of a class, for `argparse`, out of its docstring."""
    documented = _DOCUMENTED.findall(inspect.cleandoc(kind.__doc__ or "") + "\n")
    return {
        name: " ".join(text.split()).replace("%", "%%") for names, text in documented for name in names.split(", ")
    }


def _optional(kind: type) -> list[str]:
    """Lists the fields that may be None and are otherwise one plain value."""
    return [name for name, hint in get_type_hints(kind).items() if _is_optional(hint)]


def _is_optional(hint: Any) -> bool:
    if get_origin(hint) not in (Union, UnionType):
        return False
    others = [option for option in get_args(hint) if option is not NoneType]
    return len(others) == len(get_args(hint)) - 1 == 1 and isinstance(others[0], type) and others[0] is not dict


def _or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Wraps `read` so that words which leave a setting out give None."""

    @functools.wraps(read)
    def read_or_leave_out(word: str) -> Any:
        return None if word.strip().lower() in NONE_WORDS else read(word)

    return read_or_leave_out


def _read_mapping(word: str) -> dict[str, Any]:
    """Reads `{name: value, ...}`, in YAML or JSON."""
    value = yaml.safe_load(word)
    if not isinstance(value, dict):
        raise ValueError(f"{word!r} is no mapping such as '{{path: FILE}}'.")
    return value


def _read_yaml(path: Path, known: tuple[str, ...], extended_by: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Reads the settings of all sections, by name, after those of the file that this one extends."""
    if not path.is_file():
        wanted = f", which {extended_by[-1]} extends," if extended_by else ""
        raise SettingsError(f"The settings {str(path)!r}{wanted} do not exist.")
    if path.resolve() in {other.resolve() for other in extended_by}:
        raise SettingsError(f"The settings extend each other: {' -> '.join(map(str, (*extended_by, path)))}.")
    sections = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    base = sections.pop("extends", None)
    for section in sections:
        if section not in known:
            raise SettingsError(f"{path} has a section {section!r}.{_nearest(section, (*known, 'extends'))}")
    settings = {name: value for section in sections.values() for name, value in (section or {}).items()}
    if base is None:
        return settings
    return _read_yaml(path.parent / base, known, (*extended_by, path)) | settings


def _nearest(name: str, known) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(sorted(known))}."
