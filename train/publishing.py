"""Pushes a run to the Hub while it goes on and when it is done: `push_to_hub: true` and `hub_model_id: user/name`.

It runs the command that a user would, `python -m hub.push`, in a process of its own: the files are the same (weights,
config, processor, code and card, never a pickle, so neither `training_args.bin` nor the state of the optimizer), and
training needs no more of the Hub than that command line. A run that was killed is resumed from its own folder and goes
on pushing; what the Hub has already is not sent again.
"""

import logging
import shlex
import subprocess
import sys
from pathlib import Path

from train.arguments import RunArguments
from train.settings_parser import SettingsError

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ("python", "-m", "hub.push")


class PushFailed(Exception):
    """The error message of the command."""


class Publisher:
    """Pushes the checkpoints and the finished model of a run.

    Args:
        name: `user/name` on the Hub. The repository is created now: missing rights stop a run before the training.
        private: True for a repository that only its owner may see.
        base_model: Hub id or folder of the text encoder; an id goes on the card.

    Raises:
        SettingsError: There is no name.
        PushFailed: Nobody is logged in, or the token has no rights there.
    """

    def __init__(self, name: str | None, private: bool = False, base_model: str | None = None):
        if not name:
            raise SettingsError("push_to_hub needs the name of a repository: --hub_model_id user/name.")
        self.name = name
        self.words = ["--private"] if private else []
        self._run(Path("."), "--claim")
        if base_model and not Path(base_model).exists():
            self.words += ["--base-model", base_model]

    def push_checkpoint(self, folder: str | Path, step: int) -> None:
        """Pushes a checkpoint; a failure is logged and does not stop the training."""
        try:
            self._run(Path(folder), "--message", f"Training in progress, step {step}")
        except PushFailed as error:
            logger.warning("The checkpoint of step %d was not pushed: %s", step, error)

    def push_finished(self, folder: str | Path, result: Path) -> None:
        """Pushes the finished model with its result file, whose numbers are on the card.

        Raises:
            PushFailed: It failed; the message ends with the command that pushes it again.
        """
        words = ["--message", "End of training", "--result", str(result.resolve())]
        try:
            self._run(Path(folder), *words)
        except PushFailed as error:
            command = shlex.join([*COMMAND, str(folder), self.name, "--result", str(result)])
            raise PushFailed(f"{error} The model is in {folder}; to push it: {command}") from error

    def _run(self, folder: Path, *words: str) -> None:
        """Runs the command where its package lies, with the Python that runs this."""
        command = [sys.executable, *COMMAND[1:], str(folder.resolve()), self.name, *self.words, *words]
        finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if finished.returncode:
            said = finished.stderr.strip().rpartition("hub.push: ")[-1]
            raise PushFailed(said or f"hub.push ended with code {finished.returncode}.")
        logger.info("%s: %s", self.name, finished.stdout.strip().splitlines()[-1])


def build_publisher(training: RunArguments) -> Publisher | None:
    """Builds the publisher, in the first process and if the settings say so.

    Raises:
        SettingsError: The settings hold a token, or no name.
        PushFailed: The token has no rights there.
    """
    if training.hub_token:
        raise SettingsError("Set the environment variable HF_TOKEN, not hub_token: result files hold the command.")
    if not training.push_to_hub or training.checkpoint or training.process_index != 0:
        return None
    return Publisher(training.hub_model_id, bool(training.hub_private_repo), training.text_model)
