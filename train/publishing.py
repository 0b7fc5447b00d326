"""Pushes a run to the Hub while it goes on and when it is done: `push_to_hub: true` and `hub_model_id: user/name`.

What goes is what `python -m hub.push` sends: weights, config, processor, code and card, never a pickle, so neither
`training_args.bin` nor the state of the optimizer. A run that was killed is resumed from its own folder and goes on
pushing; what the Hub has already is not sent again.
"""

import logging
from pathlib import Path

logger = logging.getLogger(__name__)


class Publisher:
    """Pushes the checkpoints and the finished model of a run.

    Args:
        name: `user/name` on the Hub. The repository is made now: who may not write learns it before the training.
        private: Whether only its owner may see it.
        base_model: Hub id or folder of the text encoder; an id goes on the card.

    Raises:
        ValueError: There is no name.
        HubError: Nobody is logged in, or the token has no rights there.
    """

    def __init__(self, name: str | None, private: bool = False, base_model: str | None = None):
        if not name:
            raise ValueError("push_to_hub needs the name of a repository: --hub_model_id user/name.")
        # only here, where a run asks for it: `train` and `hub` do not know each other otherwise
        from hub.push import claim

        self.name, self.private = name, private
        self.base_model = base_model if base_model and not Path(base_model).exists() else None
        claim(name, private)

    def push_checkpoint(self, folder: str | Path, step: int) -> None:
        """Pushes a checkpoint; a broken connection is noted and does not stop the training."""
        from hub.connection import HubError

        try:
            self._push(Path(folder), f"Training in progress, step {step}")
        except HubError as error:
            logger.warning("The checkpoint of step %d was not pushed: %s", step, error)

    def push_finished(self, folder: str | Path, result: Path) -> None:
        """Pushes the finished model with its result file, whose numbers are on the card.

        Raises:
            HubError: It did not work; the message ends with the command that does it again.
        """
        from hub.connection import HubError

        try:
            self._push(Path(folder), "End of training", result)
        except HubError as error:
            command = f"python -m hub.push {folder} {self.name} --result {result}"
            raise HubError(f"{error} The model is in {folder}; to push it: {command}") from error

    def _push(self, folder: Path, message: str, result: Path | None = None) -> None:
        from hub.push import collect, push

        contents = collect(folder, self.name, result, base_model=self.base_model)
        logger.info("%s: %s", self.name, push(contents, self.name, self.private, message) or "up to date")
