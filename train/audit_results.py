"""Audits the inputs of finished runs, from the settings in their result files and without a model.

    python -m train.audit_results assets/results/mnre-*/*.json --text_model path/to/all-MiniLM-L6-v2

For runs from before there was an audit, or before it saw what a selector or a detector adds. A file whose audit names
all side inputs of its run is left alone, but with `--again`. The others get a new `audit` beside which `audited_later`
says by which code; runs with the same inputs are audited once. A file that is called clean and is not becomes
`leaking`, and the exit code 1. The data must be those that the file was made from. A text encoder is needed only where
nodes were selected; what an LLM selected is read from `selection_cache`.
"""

import argparse
import json
import shlex
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

from train.arguments import DataArguments, ModelArguments, RunArguments, RunConfig
from train.data.inputs import prepare_audited_inputs
from train.data.rows import checksums
from train.data.run_inputs import RunInputs
from train.data.side_inputs import seen_by_run
from vmhan.evaluation.result_file import code_version, versions, write_result

#: Of the settings of training, those that the inputs depend on.
_TRAINING = ("seed", "text_model", "checkpoint", "max_length")


def config_of(result: dict, paths: dict[str, str | None], folder: str) -> RunConfig:
    """Builds the settings that the inputs of a finished run depend on.

    Args:
        result: A result file. What it does not say had the default of today.
        paths: Settings such as `data_dir` that differ on this machine; None for those that do not.
        folder: For what is written aside.

    Raises:
        ValueError: It has settings of data that there are no more.
    """
    moved = {name: path for name, path in paths.items() if path is not None}
    data = _data_of(result)
    here = {name: path for name, path in moved.items() if hasattr(data, name)}
    data = replace(data, **here, undirected_pairs=False)  # pairs turned round have labels of their own: not audited
    training = {"seed": result["seed"]} | result["config"]["training"] | moved
    read = {name: training[name] for name in _TRAINING if name in training}
    arguments = RunArguments(output_dir=folder, read_test=False, use_cpu=True, report_to=[], **read)
    return RunConfig(data, ModelArguments(), arguments)


def _data_of(result: dict) -> DataArguments:
    settings, known = result["config"]["data"], {field.name for field in fields(DataArguments)}
    if unknown := sorted(settings.keys() - known):
        was = f"use the code of commit {result['commit']}"
        raise ValueError(f"There are no settings {', '.join(unknown)} any more; {was}.")
    return DataArguments(**settings)


def is_audited(result: dict) -> bool:
    """Returns True if a result file's audit names every side input of its run.

    Raises:
        ValueError: It has settings of data that there are no more.
    """
    data, audit = _data_of(result), result.get("audit")
    return audit is not None and not seen_by_run(data, _columns(data)) - audit.keys()


def _columns(data: DataArguments) -> tuple[str, ...]:
    """Names the column of tails, by which object tails are recognized."""
    return ("tail_object",) if data.corpus == "more" else ("tail_span",)


class Auditor:
    """Audits runs, each kind of inputs once.

    Args:
        paths: As of `config_of`.
        folder: For what is written aside.
    """

    def __init__(self, paths: dict[str, str | None], folder: str):
        self.paths, self.folder = paths, folder
        self._checksums: dict[str, dict[str, str]] = {}
        self._audited: dict[str, RunInputs] = {}

    def audit(self, result: dict) -> RunInputs:
        """Audits the inputs of a finished run.

        Raises:
            ValueError: The data here are not those that it read, or an input cannot be audited.
        """
        config = config_of(result, self.paths, self.folder)
        key = self._key(config)
        if key not in self._checksums:
            self._checksums[key] = checksums(config.data)
        found, expected = self._checksums[key], result["data"]
        names = found.keys() | expected.keys()
        if differing := sorted(name for name in names if found.get(name) != expected.get(name)):
            raise ValueError(f"These data are not those of the run: {', '.join(differing)} differ.")
        if key not in self._audited:
            self._audited[key] = prepare_audited_inputs(config)
        return self._audited[key]

    @staticmethod
    def _key(config: RunConfig) -> str:
        """Builds a key that differs only where inputs do: a seed shuffles images, a text encoder helps to select."""
        data, training = config.data, config.training
        seed = training.seed if data.control == "shuffled_images" else None
        encoder = (training.text_model or training.checkpoint, training.max_length) if data.selects_nodes else None
        return json.dumps([vars(data), seed, encoder], sort_keys=True)


def with_audit(result: dict, inputs: RunInputs, command: str) -> dict:
    """Adds to a result file its audit and, after the audit, the protocol that its inputs allow."""
    later = {"command": command, **code_version(), "versions": versions()}
    if inputs.protocol != result["protocol"]:
        later["protocol_before"] = result["protocol"]
    entries = {**result, "protocol": inputs.protocol, "audit": inputs.leaks}
    first = {name: entries.pop(name) for name in ("command", "protocol", "audit") if name in entries}
    return {
        **first,
        "audited_later": later,
        **{name: value for name, value in entries.items() if name != "audited_later"},
    }


def main(argv: list[str]) -> int:
    """Audits, writes, prints a line for each file; returns 1 if a file said clean and is not."""
    parser = argparse.ArgumentParser(prog="python -m train.audit_results", description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+", help="result files of train/run.py")
    parser.add_argument("--again", action="store_true", help="also those whose audit is complete")
    for name in ("data_dir", "image_dir", "text_model", "legacy_crops", "selection_cache", "feature_cache"):
        parser.add_argument(f"--{name}", help="its path here, if it is not that of the result file")
    args = parser.parse_args(argv)
    paths = {name: value for name, value in vars(args).items() if name not in ("results", "again")}
    command, worse = shlex.join(["python", "-m", "train.audit_results", *argv]), False
    with tempfile.TemporaryDirectory() as folder:
        auditor = Auditor(paths, folder)
        for path in args.results:
            result = json.loads(path.read_text(encoding="utf-8"))
            if is_audited(result) and not args.again:
                print(f"{path}: audited already")
                continue
            try:
                inputs = auditor.audit(result)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
            write_result(path, with_audit(result, inputs, command))
            worse |= result["protocol"] == "clean" != inputs.protocol
            print(f"{path}: {inputs.protocol}, {inputs.leaks}")
    return int(worse)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
