"""Describers: captioning models, and chat models that see images."""

import os
from collections.abc import Sequence

import torch
from huggingface_hub.utils import httpx
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin

from vmhan.image_description import ImageDescriber
from vmhan.image_inputs import load_image_input
from vmhan.llm.chat_model import ChatModel, message
from vmhan.llm.loading import load_chat_model
from vmhan.network import hub_settings

PROMPT = "Describe the people and things in this picture in two sentences."
LONGEST = 60  # wordpieces of a description


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


__all__ = ["load_describer"]
