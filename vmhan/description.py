"""Words about an image: by a captioning model, or out of what a detector has found."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from huggingface_hub.utils import httpx
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin

from .chat_models import ChatModel, message
from .image_inputs import load_image_input
from .network import hub_settings
from .node_selectors import load_chat_model

PROMPT = "Describe the people and things in this picture in two sentences."
LONGEST = 60  # wordpieces of a description

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLURALS = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "knife": "knives",
    "sheep": "sheep",
    "skis": "skis",
    "scissors": "scissors",
    "glasses": "glasses",
}
PARTS = {"face": "person"}  # what is no object beside the one that it belongs to
_ALWAYS_PLURAL = ("skis", "scissors", "glasses")


def compose_description(labels: Iterable[str]) -> str | None:
    """What was found, counted, in a sentence; None if nothing was. A face is no more than the person it belongs to.

    Example:
        >>> compose_description(["person", "dog", "person"])
        'Two people and a dog.'
    """
    counts = Counter(labels)
    for part, whole in PARTS.items():
        if whole in counts:
            del counts[part]
    phrases = [_counted(label, count) for label, count in counts.most_common()]
    if not phrases:
        return None
    listed = phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
    return f"{listed[0].upper()}{listed[1:]}."


def _counted(label: str, count: int) -> str:
    if count == 1:
        return label if label in _ALWAYS_PLURAL else f"{'an' if label[0] in 'aeiou' else 'a'} {label}"
    return f"{_NUMBERS[count] if count < len(_NUMBERS) else count} {_plural(label)}"


def _plural(label: str) -> str:
    *first, last = label.split()
    if last in _PLURALS:
        last = _PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = f"{last[:-1]}ies"
    else:
        last += "s"
    return " ".join([*first, last])


class ImageDescriber(Protocol):
    """Whatever describes images."""

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """Words about each image."""
        ...


def load_describer(name: "str | os.PathLike") -> ImageDescriber:
    """The describer of this name.

    Args:
        name: Hub id or folder of a model that captions, such as BLIP, or converses about images, such as LLaVA; or the
            http address of a server of one (see `RemoteChatModel`).

    Raises:
        OSError: The model is neither here nor to be fetched.
    """
    name = os.fspath(name)
    if not name.startswith(("http://", "https://")):
        try:
            settings = hub_settings(name)
            processor = AutoProcessor.from_pretrained(name, **settings)
            if getattr(processor, "chat_template", None) is None:
                return Captioner(AutoModelForImageTextToText.from_pretrained(name, **settings).eval(), processor)
        except (OSError, ImportError, httpx.HTTPError) as error:
            raise OSError(
                f"The describer {name!r} is neither a folder here nor to be had from the Hub ({error}). "
                "Check the name and the network, or describe the image yourself."
            ) from error
    return ChatDescriber(load_chat_model(name, max_new_tokens=LONGEST))


class Captioner:
    """A model of `transformers` that captions images without being asked anything."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin):
        self.model, self.processor = model, processor

    @torch.inference_mode()
    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """A caption of each image, always the same for the same image."""
        images = [load_image_input(image) for image in images]
        inputs = self.processor(images=images, return_tensors="pt").to(self.model.device, self.model.dtype)
        tokens = self.model.generate(**inputs, max_new_tokens=LONGEST, do_sample=False)
        return [caption.strip() for caption in self.processor.batch_decode(tokens, skip_special_tokens=True)]


class ChatDescriber:
    """A chat model that sees images, asked what they show."""

    def __init__(self, model: ChatModel):
        self.model = model

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """The answer for each image."""
        questions = [[message("user", PROMPT, load_image_input(image))] for image in images]
        return [answer.strip() for answer in self.model.reply(questions)]


__all__ = ["ImageDescriber", "compose_description", "load_describer"]
