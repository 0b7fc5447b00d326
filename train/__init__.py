"""Training and evaluation of VM-HAN and of the systems it is compared with."""

from vmhan.cli.extras import require, running_command

_command = running_command() or ""
# A command names all that it needs at once; [search] and [detector] bring [train] along.
if _command == "train.search":
    require("train", "search")
elif _command.startswith("train.detector."):
    require("train", "detector")
else:
    require("train", "train")
