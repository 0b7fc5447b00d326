"""The paper's three requests to an LLM, in our words, as conversations in the chat format of `transformers`.

Each shows the sentence and the pair, never the label; the entities come in the order of the sentence, whichever is the
head. What stands in quotes is JSON, so no sentence can pose as an instruction by closing its quotes.
"""

import json
from collections.abc import Sequence

from PIL import Image

from vmhan.llm.chat_model import Conversation, message
from vmhan.node_selection import SelectionRequest
from vmhan.object_detection import DetectedObject

#: Changes with the words below. Answers to other words are kept in another file.
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


def ask_for_text_phrases(request: SelectionRequest, count: int) -> Conversation:
    """Asks for the m entities and actions of the sentence that matter most for the pair."""
    return [message("user", _task(request) + _TEXT.format(count=count, format=PHRASE_FORMAT))]


def ask_for_visual_phrases(request: SelectionRequest, count: int, image: Image.Image | None) -> Conversation:
    """Asks for the n entities and actions of the image that matter most; without `image`, of its description."""
    words = _task(request) + _seen(request, image) + _IMAGE.format(count=count, format=PHRASE_FORMAT)
    return [message("user", words, image)]


def ask_for_objects(request: SelectionRequest, count: int, image: Image.Image | None) -> Conversation:
    """Asks for the k objects to keep, by number; with `image`, their places in it are told too."""
    listed = "\n".join(f"{i}: {_object(item, image)}" for i, item in enumerate(request.objects))
    question = _OBJECTS.format(objects=listed, count=count, format=OBJECT_FORMAT)
    return [message("user", _task(request) + _seen(request, image) + question, image)]


def ask_again(conversation: Conversation, reply: str, fault: str, answer_format: str) -> Conversation:
    """The conversation, its unusable reply and what was wrong with it."""
    note = _AGAIN.format(fault=fault, format=answer_format)
    return [*conversation, message("assistant", reply), message("user", note)]


def _task(request: SelectionRequest) -> str:
    first, second = request.entities
    return _TASK.format(text=_quoted(request.text), first=_quoted(first), second=_quoted(second))


def _seen(request: SelectionRequest, image: Image.Image | None) -> str:
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


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


__all__ = ["PROMPT_VERSION"]
