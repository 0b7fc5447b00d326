"""Prompts of the paper's three requests to an LLM, as conversations in the chat format of `transformers`.

Each holds the sentence and the pair, never the label; the entities come in the order of the sentence, whichever is the
head. Quotes are JSON strings, so no sentence can pose as an instruction by closing its quotes. The wording is ours.
"""

import json
from collections.abc import Sequence

from PIL import Image

from vmhan.llm.chat_model import Conversation, build_message
from vmhan.node_selection import SelectionRequest
from vmhan.object_detection import DetectedObject

#: Changes with the prompts below. Replies to other prompts are cached in another file.
PROMPT_VERSION = "1"

PHRASE_FORMAT = '{"phrases": ["...", "..."]}'
OBJECT_FORMAT = '{"objects": [0, 1]}'

_TASK = "Help to find out how two entities are related.\nSentence: {text}\nEntities: {first} and {second}\n"
_TEXT = (
    "Which other entities and which actions in the sentence tell most about the relation of these two? Copy at most "
    "{count} of them from the sentence, letter by letter, the most telling first. Leave out the two entities "
    "themselves.\nAnswer with JSON only, in this form: {format}"
)
_IMAGE = (
    "Which entities and actions in the image tell most about the relation of these two? Name at most {count} of them, "
    "in one to five words each, the most telling first.\nAnswer with JSON only, in this form: {format}"
)
_OBJECTS = (
    "These objects were found in the image:\n{objects}\nWhich of them have most to do with the two entities? Give the "
    "numbers of at most {count} of them, the closest first.\nAnswer with JSON only, in this form: {format}"
)
_AGAIN = "That answer is of no use: {fault}. Answer once more, with JSON only, in this form: {format}"


def text_phrase_prompt(request: SelectionRequest, count: int) -> Conversation:
    """Builds the prompt for the m entities and actions of the sentence that matter most for the pair."""
    return [build_message("user", _task(request) + _TEXT.format(count=count, format=PHRASE_FORMAT))]


def visual_phrase_prompt(request: SelectionRequest, count: int, image: Image.Image | None) -> Conversation:
    """Builds the prompt for the n entities and actions of the image that matter most, or of its description.

    Args:
        request: The pair.
        count: The paper's n.
        image: The image, or None for its description.
    """
    text = _task(request) + _description(request, image) + _IMAGE.format(count=count, format=PHRASE_FORMAT)
    return [build_message("user", text, image)]


def object_prompt(request: SelectionRequest, count: int, image: Image.Image | None) -> Conversation:
    """Builds the prompt for the k objects to select, by number; with `image`, it holds their boxes too.

    Args:
        request: The pair.
        count: The paper's k.
        image: The image, or None for its description.
    """
    listed = "\n".join(f"{i}: {_object(item, image)}" for i, item in enumerate(request.objects))
    question = _OBJECTS.format(objects=listed, count=count, format=OBJECT_FORMAT)
    return [build_message("user", _task(request) + _description(request, image) + question, image)]


def retry_prompt(conversation: Conversation, reply: str, fault: str, reply_format: str) -> Conversation:
    """Continues a conversation by its unusable reply and the fault of that."""
    note = _AGAIN.format(fault=fault, format=reply_format)
    return [*conversation, build_message("assistant", reply), build_message("user", note)]


def _task(request: SelectionRequest) -> str:
    first, second = request.entities
    return _TASK.format(text=_quoted(request.text), first=_quoted(first), second=_quoted(second))


def _description(request: SelectionRequest, image: Image.Image | None) -> str:
    if image is not None or not request.description:
        return ""
    return f"The image of the sentence is described so: {_quoted(request.description)}\n"


def _object(item: DetectedObject, image: Image.Image | None) -> str:
    name = _quoted(item.label) if item.label else "an object without a name"
    if image is None or item.box is None:
        return name
    return f"{name} at {_percent(item.box, image.size)}"


def _percent(box: Sequence[float], size: tuple[int, int]) -> str:
    left, top, right, bottom = (round(100 * edge / length) for edge, length in zip(box, size * 2, strict=True))
    return f"{left} to {right} percent from the left, {top} to {bottom} percent from the top"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


__all__ = [
    "OBJECT_FORMAT",
    "PHRASE_FORMAT",
    "PROMPT_VERSION",
    "object_prompt",
    "retry_prompt",
    "text_phrase_prompt",
    "visual_phrase_prompt",
]
