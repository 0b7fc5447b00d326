"""A remote chat model: a server with OpenAI's chat protocol (vLLM, TGI, Ollama), or an inference provider."""

import base64
import io
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx
from PIL import Image

from vmhan.image_decoding import to_upright_rgb
from vmhan.llm.chat_model import Conversation, Message, images_of, text_of

logger = logging.getLogger(__name__)

#: Environment variables of tokens: for the Hub's own servers, and for all others.
HUB_TOKEN, SERVER_TOKEN = "HF_TOKEN", "VMHAN_CHAT_TOKEN"
_HUB_HOSTS = (".huggingface.co", ".hf.co", ".huggingface.cloud")
_BUSY = 429
_LONGEST_SIDE = 1024  # pixels; more than models use, and photographs are sent in seconds


class RemoteChatModel:
    """Replies with a chat model on a server, by greedy decoding if the server obeys (temperature 0 and a seed).

    The token comes from the environment: `HF_TOKEN` for addresses of the Hub and for Hub ids, `VMHAN_CHAT_TOKEN` for
    any other server. A token that is saved on this machine is never sent.

    Args:
        address: `http(s)://host:port/v1`, with `#name` for the name of the model there, which vLLM and Ollama need;
            or the Hub id of a model that an inference provider serves.
        max_new_tokens: Most tokens of a reply.
        batch_size: Requests that are sent at a time.
        timeout: Seconds to wait for a reply.
        seed: Seed that is sent with each request.

    Raises:
        ConnectionError: The server failed twice, refused, or answered anything but a chat completion.
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
        self.client = InferenceClient(
            model=None if self.url else self.model, base_url=self.url, token=token, timeout=timeout
        )

    def reply(self, conversations: Sequence[Conversation]) -> list[str]:
        """Replies to conversations, in their order; `batch_size` requests are sent at a time."""
        with ThreadPoolExecutor(self.batch_size) as pool:
            return list(pool.map(self._reply, conversations))

    def _reply(self, conversation: Conversation) -> str:
        messages = [openai_message(turn) for turn in conversation]
        try:
            return self._send(messages)
        except (httpx.HTTPError, TimeoutError) as error:
            if not _is_transient(error):
                raise self._failure(error, conversation) from error
            logger.warning("%s gave no answer (%s); trying once more.", self.name, _shorten(error))
        try:
            return self._send(messages)
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._failure(error, conversation) from error

    def _send(self, messages: list[dict]) -> str:
        try:
            completion = self.client.chat_completion(
                messages,
                model=(self.model or None) if self.url else None,
                max_tokens=self.max_new_tokens,
                temperature=0.0,
                seed=self.seed,
            )
            return completion.choices[0].message.content or ""
        except httpx.HTTPError:
            raise  # some of them are ValueErrors too
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ConnectionError(
                f"{self.name} answered, but not with a chat completion ({error}); the address should be that of an "
                "OpenAI-compatible server, such as http://localhost:8000/v1."
            ) from error

    def _failure(self, error: Exception, conversation: Conversation) -> ConnectionError:
        hint = "check that the server runs and that the address is right"
        if isinstance(error, HfHubHTTPError):
            hint = f"check the model's name behind # and the token in {HUB_TOKEN if self._is_hub() else SERVER_TOKEN}"
            if images_of(conversation):
                hint += ", and that the model sees images"
        return ConnectionError(
            f"{self.name} gave no answer: {_shorten(error)}; {hint}. A cache keeps the replies so far."
        )

    def _is_hub(self) -> bool:
        host = urlsplit(self.url).hostname or "" if self.url else ".huggingface.co"
        return f".{host}".endswith(_HUB_HOSTS)


def openai_message(turn: Message) -> dict:
    """Converts a message to OpenAI's format: a plain string without images, which every server takes, else parts."""
    if not images_of([turn]):
        return {"role": turn["role"], "content": text_of(turn)}
    parts = [
        {"type": "image_url", "image_url": {"url": data_url(part["image"])}} if part["type"] == "image" else part
        for part in turn["content"]
    ]
    return {"role": turn["role"], "content": parts}


def data_url(image: Image.Image) -> str:
    """Encodes an image as a JPEG in a data URL, at most 1024 pixels a side."""
    image, buffer = to_upright_rgb(image), io.BytesIO()
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    image.save(buffer, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _is_transient(error: Exception) -> bool:
    """Returns whether a second try may help: the connection failed or took too long, or the server was busy."""
    if not isinstance(error, HfHubHTTPError):
        return True
    return error.response.status_code >= 500 or error.response.status_code == _BUSY


def _shorten(error: Exception) -> str:
    status = f" {error.response.status_code}" if isinstance(error, HfHubHTTPError) else ""
    return f"{type(error).__name__}{status}: {' '.join(str(error).split())[:300]}"


__all__ = ["RemoteChatModel", "data_url", "openai_message"]
