"""Describers of images: captioning models, and chat models that read images."""

import os
from collections.abc import Sequence
from typing import Any

import torch
from huggingface_hub.utils import httpx
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from vmhan.image_description import ImageDescriber
from vmhan.image_inputs import load_image_input
from vmhan.llm.chat_model import ChatModel, build_message
from vmhan.llm.loading import load_chat_model
from vmhan.network import hub_settings

PROMPT = "Describe the people and things in this picture in two sentences."
MAX_TOKENS = 60  # wordpieces of a description


def load_describer(name: "str | os.PathLike") -> ImageDescriber:
    """Loads a describer by name.

    Args:
        name: Hub id or folder of a captioning model, such as BLIP, or of a chat model that reads images, such as
            LLaVA; or the http address of a server of one (see `RemoteChatModel`).

    Raises:
        OSError: The model is neither a local folder nor available from the Hub.
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
                f"The describer {name!r} is neither a local folder nor available from the Hub ({error}). "
                "Check the name and the network, or describe the image yourself."
            ) from error
    return ChatDescriber(load_chat_model(name, max_new_tokens=MAX_TOKENS))


class Captioner:
    """Describes images with a captioning model of `transformers`, which takes no prompt.

    Args:
        model: The model.
        processor: Its processor.
    """

    def __init__(self, model: Any, processor: Any):
        self.model, self.processor = model, processor

    @torch.inference_mode()
    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """Captions each image, by greedy decoding."""
        upright = [load_image_input(image) for image in images]
        inputs = self.processor(images=upright, return_tensors="pt").to(self.model.device, self.model.dtype)
        tokens = self.model.generate(**inputs, max_new_tokens=MAX_TOKENS, do_sample=False)
        return [caption.strip() for caption in self.processor.batch_decode(tokens, skip_special_tokens=True)]


class ChatDescriber:
    """Describes images with a chat model.

    Args:
        model: A chat model that reads images.
    """

    def __init__(self, model: ChatModel):
        self.model = model

    def describe(self, images: Sequence[Image.Image]) -> list[str]:
        """Describes each image."""
        conversations = [[build_message("user", PROMPT, load_image_input(image))] for image in images]
        return [reply.strip() for reply in self.model.reply(conversations)]


__all__ = ["Captioner", "ChatDescriber", "load_describer"]
