"""What a run leaves behind, and what of an earlier run it may find there: checkpoints, the model and a result file."""

import shutil
from pathlib import Path

import torch
from transformers.trainer_utils import get_last_checkpoint

FINAL = "final"


def final_folder(training) -> Path:
    """Where the finished model goes."""
    return Path(training.output_dir) / FINAL


def result_path(training) -> Path:
    """Where the result file goes."""
    return Path(training.results_dir) / f"{training.run_name or Path(training.output_dir).name}.json"


def find_checkpoint(training) -> str | None:
    """Where to resume: a folder, or with "last" the newest checkpoint of the output folder, if there is one."""
    asked = training.resume_from_checkpoint
    return _last_checkpoint(training) if asked == "last" else asked


def check_output(training) -> None:
    """Refuses to write over what an earlier run has left, unless that is asked for.

    Raises:
        ValueError: Says what is there and what to do.
    """
    if training.complete_result and not training.checkpoint:
        raise ValueError("--complete_result needs --checkpoint <the finished model>.")
    if training.complete_result and not Path(training.complete_result).is_file():
        raise ValueError(f"There is no result file {training.complete_result} to complete; check --complete_result.")
    if training.resume_from_checkpoint and training.overwrite_output_dir:
        raise ValueError("Choose: --resume_from_checkpoint goes on, --overwrite_output_dir begins anew.")
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
    raise ValueError(f"{why} earlier run has left {', '.join(found)}; {', '.join(ways)}.")


def clear_output(training) -> None:
    """Removes checkpoints and model of the run that is written over, so that none is taken for one of the new run."""
    folder = Path(training.output_dir)
    for path in (*folder.glob("checkpoint-*"), final_folder(training)):
        if path.is_dir():
            shutil.rmtree(path)


def save(model, processor, training) -> None:
    """Saves the finished model. The config says float32, so 16-bit files load as that too."""
    state = model.state_dict()
    if training.half_precision_weights:
        state = {name: tensor.to(torch.float16) for name, tensor in state.items()}
    model.save_pretrained(final_folder(training), state_dict=state)
    processor.save_pretrained(final_folder(training))


def _left_by_earlier_run(training) -> list[Path]:
    """What this run would write over."""
    left = [result_path(training)]
    if not training.checkpoint:
        left += [final_folder(training), *map(Path, filter(None, [_last_checkpoint(training)]))]
    return [path for path in left if path.exists()]


def _last_checkpoint(training) -> str | None:
    return get_last_checkpoint(training.output_dir) if Path(training.output_dir).is_dir() else None
