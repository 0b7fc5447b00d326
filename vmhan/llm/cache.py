"""Answers of a chat model, kept on disk: a map over a data set that was killed goes on where it stopped."""

import hashlib
import json
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import cached_assets_path
from PIL import Image

from vmhan.llm.chat_model import ChatModel, Conversation
from vmhan.llm.prompts import PROMPT_VERSION

logger = logging.getLogger(__name__)


class CachedChatModel:
    """A chat model that remembers.

    Answers are kept as they came, before they are checked: a run that finds them all counts the same dropped items as
    the run that asked. Their key is the sha256 of the whole conversation, where an image counts by its pixels: it
    covers the prompt's words and version, sentence, pair, image, objects, m, n and k. Each model and prompt version
    has a file of JSON lines, to which answers are added as they come. A model in a folder is another one once its
    files change; what an address serves is known by its name only (`http://host/v1#model`).

    Args:
        model: Is asked for what is not known yet.
        folder: Where the files lie; by default among the assets that the Hub's client caches.
    """

    def __init__(self, model: ChatModel, folder: str | os.PathLike | None = None):
        self.model = model
        folder = Path(folder) if folder is not None else cached_assets_path("vmhan", "selections")
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{_file_name(model)}.v{PROMPT_VERSION}.jsonl"
        self.answers = read_answers(self.path)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def sees_images(self) -> bool:
        return self.model.sees_images

    @property
    def batch_size(self) -> int:
        return self.model.batch_size

    def reply(self, conversations: Sequence[Conversation]) -> list[str]:
        """The answers, asked for only where they are not known."""
        keys = [conversation_key(conversation) for conversation in conversations]
        unknown = {key: talk for key, talk in zip(keys, conversations, strict=True) if key not in self.answers}
        missing = list(unknown)
        for start in range(0, len(missing), self.batch_size):
            batch = missing[start : start + self.batch_size]
            self._keep(dict(zip(batch, self.model.reply([unknown[key] for key in batch]), strict=True)))
        return [self.answers[key] for key in keys]

    def _keep(self, answers: dict[str, str]):
        lines = "".join(json.dumps({"key": key, "reply": reply}) + "\n" for key, reply in answers.items())
        broken = self.path.is_file() and not _ends_line(self.path)
        with open(self.path, "ab") as file:  # one write at the end of the file: processes do not cut into each other
            file.write((b"\n" if broken else b"") + lines.encode())
        self.answers.update(answers)


def read_answers(path: Path) -> dict[str, str]:
    """The answers in a file, by key. A line that a killed run left half written is left out."""
    answers, broken = {}, 0
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            entry = json.loads(line)
            answers[entry["key"]] = str(entry["reply"])
        except (ValueError, KeyError, TypeError):
            broken += bool(line)
    if broken:
        logger.warning("%d lines of %s are broken and will be asked for again.", broken, path)
    return answers


def conversation_key(conversation: Conversation) -> str:
    """sha256 of a conversation and the prompt version; an image counts by its pixels, not by its file or name."""
    turns = [[turn["role"], *map(_part_key, turn["content"])] for turn in conversation]
    return hashlib.sha256(json.dumps([PROMPT_VERSION, turns]).encode()).hexdigest()


def _part_key(part: dict) -> str | dict[str, str]:
    return _checksum(part["image"]) if part["type"] == "image" else part["text"]


def _checksum(image: Image.Image) -> dict[str, str]:
    pixels = hashlib.sha256(f"{image.mode} {image.size}".encode())
    pixels.update(image.tobytes())
    return {"sha256": pixels.hexdigest()}


def _file_name(model: ChatModel) -> str:
    """A name that a person can read and that no two models share, nor two that lay in one folder."""
    asked = f"{model.name} {getattr(model, 'max_new_tokens', '')}"
    if Path(model.name).is_dir():
        files = [(file.name, file.stat()) for file in sorted(Path(model.name).iterdir())]
        asked += str([(name, stat.st_size, stat.st_mtime_ns) for name, stat in files])
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", model.name).strip("-.")[-60:]
    return f"{readable}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def _ends_line(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


__all__ = ["CachedChatModel"]
