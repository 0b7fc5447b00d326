"""The files of a run, and those of an earlier run in the same place: checkpoints, the model and a result file."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from transformers.trainer_utils import get_last_checkpoint

from train.arguments import RunArguments
from train.settings_parser import SettingsError
from vmhan import VMHANForRelationExtraction, VMHANProcessor

FINAL = "final"
LOCK = ".lock"


def final_folder(training: RunArguments) -> Path:
    """Names the folder of the finished model."""
    return Path(training.output_dir) / FINAL


def result_path(training: RunArguments) -> Path:
    """Names the result file."""
    return Path(training.results_dir) / f"{training.run_name or Path(training.output_dir).name}.json"


def find_checkpoint(training: RunArguments) -> str | None:
    """Finds where to resume: a folder, or with "last" the newest checkpoint of the output folder, if there is one."""
    folder = training.resume_from_checkpoint
    return _last_checkpoint(training) if folder == "last" else folder


@contextmanager
def lock_output(output_dir: str | Path) -> Iterator[None]:
    """Locks an output folder against a second run. The lock ends with the process, however that ends.

    Raises:
        SettingsError: Another process holds it.
    """
    folder = Path(output_dir)
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        why = f"Another run is writing to {folder} now; wait until it ends, or choose another --output_dir."
        raise SettingsError(why) from None
    try:
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)  # while it is held, so that it is no other process's
        lock.release()
        if is_new:
            with suppress(OSError):  # it holds what the run has left
                folder.rmdir()


def check_output(training: RunArguments) -> None:
    """Refuses to write over the files of an earlier run, unless the settings say so.

    Raises:
        SettingsError: Says what is there and what to do.
    """
    if training.complete_result and not training.checkpoint:
        raise SettingsError("--complete_result needs --checkpoint <the finished model>.")
    if training.complete_result and not Path(training.complete_result).is_file():
        raise SettingsError(
            f"There is no result file {training.complete_result} to complete; check --complete_result."
        )
    if training.resume_from_checkpoint and training.overwrite_output_dir:
        raise SettingsError("Choose: --resume_from_checkpoint goes on, --overwrite_output_dir begins anew.")
    if training.overwrite_output_dir or training.complete_result:
        return
    resumes = training.resume_from_checkpoint and find_checkpoint(training)
    if resumes or not (found := list(map(str, _left_by_earlier_run(training)))):
        return
    ways = ["choose another " + ("--run_name" if training.checkpoint else "--output_dir")]
    if not training.checkpoint and _last_checkpoint(training):
        ways.append("go on where that run stopped, --resume_from_checkpoint last")
    ways.append("or write over it, --overwrite_output_dir true")
    why = "There is no checkpoint to resume from, but an" if training.resume_from_checkpoint else "An"
    raise SettingsError(f"{why} earlier run has left {', '.join(found)}; {', '.join(ways)}.")


def clear_output(training: RunArguments) -> None:
    """Removes checkpoints and model of the run that is written over, so that none is taken for one of the new run."""
    folder = Path(training.output_dir)
    for path in (*folder.glob("checkpoint-*"), final_folder(training)):
        if path.is_dir():
            shutil.rmtree(path)


def save_model(model: VMHANForRelationExtraction, processor: VMHANProcessor, training: RunArguments) -> None:
    """Saves the finished model. The config says float32, so 16-bit files load as that too."""
    state = model.state_dict()
    if training.half_precision_weights:
        state = {name: tensor.to(torch.float16) for name, tensor in state.items()}
    model.save_pretrained(final_folder(training), state_dict=state)
    processor.save_pretrained(final_folder(training))


def _left_by_earlier_run(training: RunArguments) -> list[Path]:
    """Lists the files that this run would write over."""
    left = [result_path(training)]
    if not training.checkpoint:
        left += [final_folder(training), *map(Path, filter(None, [_last_checkpoint(training)]))]
    return [path for path in left if path.exists()]


def _last_checkpoint(training: RunArguments) -> str | None:
    return get_last_checkpoint(training.output_dir) if Path(training.output_dir).is_dir() else None
