"""The parsers of the commands, as `--help` shows them."""

import argparse
import runpy
import sys
import warnings
from functools import cache
from unittest import mock


class HelpRequested(Exception):
    """Carries the parser that was to print its help."""


@cache
def command_parser(name: str) -> argparse.ArgumentParser:
    """Returns the parser with which the module `name` reads its command line."""

    def stop(parser, *args):
        raise HelpRequested(parser)

    with (
        mock.patch.object(argparse.ArgumentParser, "print_help", stop),
        mock.patch.object(sys, "path", list(sys.path)),
        mock.patch.object(sys, "argv", [name, "--help"]),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", RuntimeWarning)  # the module may have been imported already
        try:
            runpy.run_module(name, run_name="__main__")
        except HelpRequested as requested:
            return requested.args[0]
    raise AssertionError(f"{name} has no --help")
