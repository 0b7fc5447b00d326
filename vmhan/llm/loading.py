"""Loading of node selectors and chat models by name."""

import os
from typing import Any

from vmhan.llm.cache import CachedChatModel
from vmhan.llm.chat_model import ChatModel, LocalChatModel
from vmhan.llm.remote import RemoteChatModel
from vmhan.llm.selector import LLMSelector
from vmhan.node_selection import NONE, WORDS, Encoder, NodeSelector, WordSelector


def load_selector(
    name: str,
    visual: str | None = None,
    *,
    num_text_phrases: int = 3,
    num_visual_phrases: int = 3,
    num_objects: int = 3,
    encode: Encoder | None = None,
    cache: str | os.PathLike | None = None,
    **model_settings: Any,
) -> NodeSelector | None:
    """Loads a node selector by name, or None for `"none"`.

    Args:
        name: `"none"`, `"words"`, the Hub id or folder of a chat model to run here, or the http address of a server
            (see `RemoteChatModel`). It selects the m text phrases.
        visual: Likewise, for the n visual phrases and k objects; by default the same.
        num_text_phrases, num_visual_phrases, num_objects: The paper's m, n and k.
        encode: As in `WordSelector`.
        cache: Folder of the cached replies; by default among the assets that the Hub's client caches.
        model_settings: `max_new_tokens`, `batch_size` and other settings that both kinds of chat models take.

    Raises:
        ValueError: A number is negative, or only one of the two is `"none"`.
    """
    visual = name if visual is None else visual
    if name == visual == NONE:
        return None
    if NONE in (name, visual):
        raise ValueError(
            f'The selectors are {name!r} and {visual!r}; "none" turns both off. For no phrases of one kind set its '
            "number to 0."
        )
    words = WordSelector(num_text_phrases, num_visual_phrases, num_objects, encode)
    if name == visual == WORDS:
        return words
    models: dict[str, ChatModel] = {
        address: CachedChatModel(load_chat_model(address, **model_settings), cache)
        for address in {name, visual} - {WORDS}
    }
    return LLMSelector(words, models.get(name), models.get(visual))


def load_chat_model(name: str, **settings: Any) -> ChatModel:
    """Loads a chat model: a server for an http address, else a model of `transformers` on this machine."""
    if name.startswith(("http://", "https://")):
        return RemoteChatModel(name, **settings)
    return LocalChatModel(name, **settings)


__all__ = ["load_chat_model", "load_selector"]
