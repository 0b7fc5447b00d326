"""A chat model that runs elsewhere: a server that speaks OpenAI's chat protocol (vLLM, TGI, Ollama), or the Hub's."""

import base64
import io
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError, HTTPError
from PIL import Image

from vmhan.image_decoding import to_upright_rgb
from vmhan.llm.chat_model import Conversation, Message, images_of, text_of

logger = logging.getLogger(__name__)

#: Environment variables that tokens are read from: for the Hub's own servers, and for all others.
HUB_TOKEN, SERVER_TOKEN = "HF_TOKEN", "VMHAN_CHAT_TOKEN"
_HUB_HOSTS = (".huggingface.co", ".hf.co", ".huggingface.cloud")
_BUSY = 429
_LONGEST_SIDE = 1024  # pixels; more than models look at, and photographs are sent in seconds


class RemoteChatModel:
    """Asks a server, without randomness as far as it keeps its word (temperature 0 and a seed).

    The token comes from the environment: `HF_TOKEN` for addresses of the Hub and for Hub ids, `VMHAN_CHAT_TOKEN` for
    any other server. A token that is saved on this machine is never sent.

    Args:
        address: `http(s)://host:port/v1`, with `#name` for the name of the model there, which vLLM and Ollama want;
            or the Hub id of a model that an inference provider serves.
        max_new_tokens: Longest answer.
        batch_size: Requests that are under way at a time.
        timeout: Seconds to wait for an answer.
        seed: Sent along.

    Raises:
        ConnectionError: The server did not answer twice, refused, or answered something else than a chat message.
    """

    sees_images = True

    def __init__(
        self, address: str, max_new_tokens: int = 128, batch_size: int = 8, timeout: float = 120.0, seed: int = 0
    ):
        self.name = address
        self.max_new_tokens = max_new_tokens
        self.batch_size = batch_size
        self.seed = seed
        self.url, _, self.model = address.partition("#") if "://" in address else (None, "", address)
        token = os.environ.get(HUB_TOKEN if self._is_hub() else SERVER_TOKEN) or "none"
        place = {"base_url": self.url} if self.url else {"model": self.model}
        self.client = InferenceClient(**place, token=token, timeout=timeout)

    def reply(self, conversations: Sequence[Conversation]) -> list[str]:
        """The answers, in the order of the conversations; `batch_size` of them are asked for at a time."""
        with ThreadPoolExecutor(self.batch_size) as pool:
            return list(pool.map(self._reply, conversations))

    def _reply(self, conversation: Conversation) -> str:
        messages = [openai_message(turn) for turn in conversation]
        try:
            return self._ask(messages)
        except (HTTPError, TimeoutError) as error:
            if not _may_pass(error):
                raise self._no_answer(error, conversation) from error
            logger.warning("%s gave no answer (%s); asking once more.", self.name, _in_short(error))
        try:
            return self._ask(messages)
        except (HTTPError, TimeoutError) as error:
            raise self._no_answer(error, conversation) from error

    def _ask(self, messages: list[dict]) -> str:
        settings = {"max_tokens": self.max_new_tokens, "temperature": 0.0, "seed": self.seed}
        model = {"model": self.model} if self.url and self.model else {}
        try:
            return self.client.chat_completion(messages, **settings, **model).choices[0].message.content or ""
        except HTTPError:
            raise  # some of them are ValueErrors too
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ConnectionError(
                f"{self.name} answered, but not with a chat completion ({error}); the address should be that of an "
                "OpenAI-compatible server, such as http://localhost:8000/v1."
            ) from error

    def _no_answer(self, error: Exception, conversation: Conversation) -> ConnectionError:
        hint = "check that the server runs and that the address is right"
        if isinstance(error, HfHubHTTPError):
            hint = f"check the model's name behind # and the token in {HUB_TOKEN if self._is_hub() else SERVER_TOKEN}"
            if images_of(conversation):
                hint += ", and that the model sees images"
        return ConnectionError(
            f"{self.name} gave no answer: {_in_short(error)}; {hint}. A cache keeps the answers so far."
        )

    def _is_hub(self) -> bool:
        host = urlsplit(self.url).hostname or "" if self.url else ".huggingface.co"
        return f".{host}".endswith(_HUB_HOSTS)


def openai_message(turn: Message) -> dict:
    """A message in OpenAI's format: a plain string without images, which every server takes, else parts."""
    if not images_of([turn]):
        return {"role": turn["role"], "content": text_of(turn)}
    parts = [
        {"type": "image_url", "image_url": {"url": data_url(part["image"])}} if part["type"] == "image" else part
        for part in turn["content"]
    ]
    return {"role": turn["role"], "content": parts}


def data_url(image: Image.Image) -> str:
    """The image as a JPEG in a data URL, at most 1024 pixels a side."""
    image, buffer = to_upright_rgb(image), io.BytesIO()
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    image.save(buffer, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _may_pass(error: Exception) -> bool:
    """Whether asking again may help: the connection failed, took too long, or the server was busy or broke."""
    if not isinstance(error, HfHubHTTPError):
        return True
    return error.response.status_code >= 500 or error.response.status_code == _BUSY


def _in_short(error: Exception) -> str:
    status = f" {error.response.status_code}" if isinstance(error, HfHubHTTPError) else ""
    return f"{type(error).__name__}{status}: {' '.join(str(error).split())[:300]}"


__all__ = ["RemoteChatModel"]
