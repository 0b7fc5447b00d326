"""Chat models, which answer the prompts of prompts.py: their interface, and one that runs on this machine.

A conversation is a list of messages in the chat format of `transformers`: a role and content parts, which are texts
and PIL images.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import torch
from huggingface_hub.utils import httpx
from PIL import Image
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    BatchFeature,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from vmhan.network import hub_settings

Message = dict[str, Any]
Conversation = list[Message]


class ChatModel(Protocol):
    """Interface of chat models."""

    @property
    def name(self) -> str:
        """Name under which its replies are cached."""
        ...

    @property
    def sees_images(self) -> bool:
        """Whether conversations may hold images."""
        ...

    @property
    def batch_size(self) -> int:
        """Conversations that it answers at a time."""
        ...

    def reply(self, conversations: Sequence[Conversation]) -> list[str]:
        """Replies to each conversation."""
        ...


def build_message(role: str, text: str, image: Image.Image | None = None) -> Message:
    """Builds a message of a text and, before it, an image if there is one."""
    images = [] if image is None else [{"type": "image", "image": image}]
    return {"role": role, "content": [*images, {"type": "text", "text": text}]}


def images_of(conversation: Conversation) -> list[Image.Image]:
    """Collects the images of a conversation."""
    return [part["image"] for turn in conversation for part in turn["content"] if part["type"] == "image"]


def text_of(turn: Message) -> str:
    """Joins the text parts of a message."""
    return "".join(part["text"] for part in turn["content"] if part["type"] == "text")


class LocalChatModel:
    """Replies with a chat model of `transformers`, such as LLaMA-3 or LLaVA, by greedy decoding.

    It is loaded at the first conversation, so a run whose replies are all in the cache needs neither its weights nor
    memory for them.

    Args:
        name_or_path: Hub id or folder of a model with a chat template.
        max_new_tokens: Most tokens of a reply.
        batch_size: Conversations in one pass.
        device: Device; by default the GPU if there is one.
        dtype: As in `from_pretrained`; by default that of the weights.

    Raises:
        OSError: The model cannot be loaded.
        ValueError: It has no chat template, or a conversation does not fit its context.
    """

    def __init__(
        self,
        name_or_path: str,
        max_new_tokens: int = 128,
        batch_size: int = 8,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype = "auto",
    ):
        self.name = name_or_path
        self.max_new_tokens = max_new_tokens
        self.batch_size = batch_size
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = dtype

    @cached_property
    def config(self) -> Any:
        """Config of the model."""
        return _load(AutoConfig, self.name)

    @property
    def sees_images(self) -> bool:
        """Whether the model is one for images."""
        return type(self.config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

    @cached_property
    def processor(self) -> Any:
        """Processor or tokenizer, which pads on the left: replies begin where prompts end."""
        processor = _load(AutoProcessor if self.sees_images else AutoTokenizer, self.name)
        tokenizer = getattr(processor, "tokenizer", processor)
        if not (processor.chat_template or tokenizer.chat_template):
            raise ValueError(f"{self.name} has no chat template; choose the chat or instruct version of the model.")
        tokenizer.padding_side = "left"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return processor

    @cached_property
    def model(self) -> Any:
        """The model itself."""
        kind = AutoModelForImageTextToText if self.sees_images else AutoModelForCausalLM
        return _load(kind, self.name, dtype=self.dtype).to(self.device).eval()

    def reply(self, conversations: Sequence[Conversation]) -> list[str]:
        """Replies to conversations, in their order; those of similar length share a batch."""
        order = sorted(range(len(conversations)), key=lambda index: _size(conversations[index]))
        groups = [
            [index for index in order if bool(images_of(conversations[index])) is has_image]
            for has_image in (False, True)
        ]
        replies: dict[int, str] = {}
        for group in groups:
            for start in range(0, len(group), self.batch_size):
                batch = group[start : start + self.batch_size]
                replies.update(zip(batch, self._reply([conversations[index] for index in batch]), strict=True))
        return [replies[index] for index in range(len(conversations))]

    @torch.inference_mode()
    def _reply(self, conversations: list[Conversation]) -> list[str]:
        inputs = self._encode(conversations).to(self.device, dtype=self.model.dtype)
        length = inputs["input_ids"].shape[1]
        self._check_length(length, conversations)
        tokenizer = getattr(self.processor, "tokenizer", self.processor)
        tokens = self.model.generate(
            **inputs,
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,  # settings of sampling in a model's own config would warn
            top_p=None,
            top_k=None,
            pad_token_id=tokenizer.pad_token_id,
        )
        return tokenizer.batch_decode(tokens[:, length:], skip_special_tokens=True)

    def _encode(self, conversations: list[Conversation]) -> BatchFeature:
        settings = {"add_generation_prompt": True, "tokenize": True, "return_dict": True, "return_tensors": "pt"}
        conversations = [
            [self._without_special_tokens(turn) for turn in conversation] for conversation in conversations
        ]
        if self.sees_images:
            return self.processor.apply_chat_template(conversations, processor_kwargs={"padding": True}, **settings)
        encoded = self.processor.apply_chat_template(conversations, padding=True, **settings)
        return BatchFeature({name: encoded[name] for name in ("input_ids", "attention_mask")})

    def _without_special_tokens(self, turn: Message) -> Message:
        """Splits special tokens that the text of a message spells ("<image>"): they are ordinary text."""
        parts = [
            {"type": "text", "text": self._split_special_tokens(part["text"])} if part["type"] == "text" else part
            for part in turn["content"]
        ]
        # templates of models without images want plain strings
        return {**turn, "content": parts if self.sees_images else text_of({"content": parts})}

    def _split_special_tokens(self, text: str) -> str:
        tokenizer = getattr(self.processor, "tokenizer", self.processor)
        for token in tokenizer.added_tokens_decoder.values():
            if token.special and len(token.content) > 1:
                text = text.replace(token.content, f"{token.content[0]} {token.content[1:]}")
        return text

    def _check_length(self, length: int, conversations: list[Conversation]) -> None:
        window = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if window is not None and length + self.max_new_tokens > window:
            longest = text_of(max(conversations, key=_size)[0])
            raise ValueError(
                f"A prompt of {length} tokens and a reply of {self.max_new_tokens} do not fit the {window} of "
                f"{self.name}: {longest[:160]!r}... Shorten the text, or choose a model with a longer context."
            )


def _size(conversation: Conversation) -> int:
    return sum(len(text_of(turn)) for turn in conversation)


def _load(kind: Any, name: str, **settings: Any) -> Any:
    """Loads a part of the model with an Auto class."""
    try:
        return kind.from_pretrained(name, trust_remote_code=False, **settings, **hub_settings(name))
    except (OSError, ImportError, httpx.HTTPError) as error:
        raise OSError(
            f"The chat model {name!r} cannot be loaded; give the folder of one, a Hub id that can be reached, or the "
            f"http address of a server. {error}"
        ) from error


__all__ = ["ChatModel", "Conversation", "LocalChatModel", "Message", "build_message", "images_of", "text_of"]
