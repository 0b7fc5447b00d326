"""Cache of a chat model's replies on disk: a map over a data set that was killed resumes where it stopped."""

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
    """Caches the replies of a chat model.

    Replies are cached before they are checked, so a run from the cache counts the same dropped items as the first run.
    Their key is the sha256 of the whole conversation, where an image counts by its pixels: it covers the text and
    version of the prompt, sentence, pair, image, objects, m, n and k. Each model and prompt version has a file of JSON
    lines, to which replies are appended as they come. A model in a folder is another one once its files change; a
    model behind an address is known by its name only (`http://host/v1#model`).

    Args:
        model: Replies to conversations that the cache lacks.
        folder: Folder of the files; by default among the assets that the Hub's client caches.
    """

    def __init__(self, model: ChatModel, folder: str | os.PathLike | None = None):
        self.model = model
        path = Path(folder) if folder is not None else cached_assets_path("vmhan", "selections")
        path.mkdir(parents=True, exist_ok=True)
        self.path = path / f"{_file_name(model)}.v{PROMPT_VERSION}.jsonl"
        self.replies = read_replies(self.path)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.name

    @property
    def sees_images(self) -> bool:
        """Whether the model reads images."""
        return self.model.sees_images

    @property
    def batch_size(self) -> int:
        """Conversations that the model answers at a time."""
        return self.model.batch_size

    def reply(self, conversations: Sequence[Conversation]) -> list[str]:
        """Replies to conversations, by the model only where the cache lacks them."""
        keys = [conversation_key(conversation) for conversation in conversations]
        unknown = {key: talk for key, talk in zip(keys, conversations, strict=True) if key not in self.replies}
        missing = list(unknown)
        for start in range(0, len(missing), self.batch_size):
            batch = missing[start : start + self.batch_size]
            self._store(dict(zip(batch, self.model.reply([unknown[key] for key in batch]), strict=True)))
        return [self.replies[key] for key in keys]

    def _store(self, replies: dict[str, str]) -> None:
        lines = "".join(json.dumps({"key": key, "reply": reply}) + "\n" for key, reply in replies.items())
        broken = self.path.is_file() and not _ends_line(self.path)
        with open(self.path, "ab") as file:  # one write at the end of the file: lines of several processes do not mix
            file.write((b"\n" if broken else b"") + lines.encode())
        self.replies.update(replies)


def read_replies(path: Path) -> dict[str, str]:
    """Reads the replies in a file, by key. A line that a killed run left half written is skipped."""
    replies: dict[str, str] = {}
    broken = 0
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            entry = json.loads(line)
            replies[entry["key"]] = str(entry["reply"])
        except (ValueError, KeyError, TypeError):
            broken += bool(line)
    if broken:
        logger.warning("%d lines of %s are broken; their replies will be computed again.", broken, path)
    return replies


def conversation_key(conversation: Conversation) -> str:
    """Computes the sha256 of a conversation and the prompt version; an image counts by its pixels, not its file."""
    turns = [[turn["role"], *map(_part_key, turn["content"])] for turn in conversation]
    return hashlib.sha256(json.dumps([PROMPT_VERSION, turns]).encode()).hexdigest()


def _part_key(part: dict) -> str | dict[str, str]:
    return _checksum(part["image"]) if part["type"] == "image" else part["text"]


def _checksum(image: Image.Image) -> dict[str, str]:
    pixels = hashlib.sha256(f"{image.mode} {image.size}".encode())
    pixels.update(image.tobytes())
    return {"sha256": pixels.hexdigest()}


def _file_name(model: ChatModel) -> str:
    """Builds a readable name that no two models share, nor two that were in one folder at different times."""
    identity = f"{model.name} {getattr(model, 'max_new_tokens', '')}"
    if Path(model.name).is_dir():
        files = [(file.name, file.stat()) for file in sorted(Path(model.name).iterdir())]
        identity += str([(name, stat.st_size, stat.st_mtime_ns) for name, stat in files])
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", model.name).strip("-.")[-60:]
    return f"{readable}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _ends_line(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


__all__ = ["CachedChatModel", "conversation_key", "read_replies"]
