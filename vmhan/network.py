"""Requests to other machines, each within limits of time and size."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TypeVar

from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import httpx

T = TypeVar("T")
ANSWER_TIMEOUT = 5  # seconds for one question; those of transformers take six tries for each of many files
_BUSY = 429


def call_within(seconds: float, function: Callable[[], T]) -> T:
    """Calls `function` in a thread of its own, which is left behind if it takes longer.

    The timeouts of clients count each read anew, and leave out the look-up of a name.

    Raises:
        TimeoutError: It took longer.
    """
    outcome = Future()

    def work():
        try:
            outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=work, daemon=True).start()
    return outcome.result(timeout=seconds)


def answers(address: str) -> bool:
    """Whether the server of a web address answers, whatever it says."""
    try:
        call_within(ANSWER_TIMEOUT, lambda: httpx.head(address, timeout=ANSWER_TIMEOUT))
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return False
    return True


def hub_settings(name: str) -> dict[str, bool]:
    """Settings of `from_pretrained` for the model `name`: the cache alone, where the Hub does not answer in time.

    transformers would wait and try again for each file that a model might have, for minutes in all.

    Args:
        name: Hub id or folder. Nobody is asked about a folder.
    """
    if Path(name).is_dir() or _hub_answers(name):
        return {}
    return {"local_files_only": True}


def _hub_answers(name: str) -> bool:
    try:
        address = hf_hub_url(name, "config.json")
        call_within(ANSWER_TIMEOUT, lambda: get_hf_file_metadata(address, timeout=ANSWER_TIMEOUT))
    except HfHubHTTPError as error:  # no such model, or not for us: transformers says it well, and at once
        return error.response.status_code < 500 and error.response.status_code != _BUSY
    except (httpx.HTTPError, OfflineModeIsEnabled, OSError):
        return False
    except ValueError:  # no name that the Hub could have
        return True
    return True


MAX_FILE_SIZE = 20_000_000  # bytes
DOWNLOAD_TIMEOUT = 30  # seconds in all
SILENCE_TIMEOUT = 10  # seconds until the server answers, and between two parts of what it sends
MAX_REDIRECTS = 3


def download_image(address: str) -> bytes:
    """Fetches the file at an http or https address.

    Raises:
        ValueError: There is none, or it is too large or too slow; names the address.
    """
    try:
        # the client's own clock begins when the name has been looked up, which nothing can stop
        return call_within(DOWNLOAD_TIMEOUT + 1, lambda: asyncio.run(_fetch(address)))
    except TimeoutError as error:
        raise _not_fetched(address, f"it takes longer than {DOWNLOAD_TIMEOUT} seconds") from error
    except httpx.TimeoutException as error:
        raise _not_fetched(address, f"its server is silent for {SILENCE_TIMEOUT} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise _not_fetched(address, str(error) or type(error).__name__) from error


async def _fetch(address: str) -> bytes:
    settings = {"follow_redirects": True, "max_redirects": MAX_REDIRECTS, "timeout": SILENCE_TIMEOUT}
    headers = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "vmhan"}
    content = bytearray()
    async with (
        asyncio.timeout(DOWNLOAD_TIMEOUT),
        httpx.AsyncClient(headers=headers, **settings) as client,
        client.stream("GET", address) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"it answers {answer.status_code} {answer.reason_phrase}".rstrip())
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > MAX_FILE_SIZE:
                raise ValueError(f"it is larger than {MAX_FILE_SIZE // 1_000_000} MB")
    return bytes(content)


def _not_fetched(address: str, why: str) -> ValueError:
    return ValueError(f"The image at {address[:200]!r} cannot be fetched: {why}. Check the address, or give the file.")


__all__ = ["MAX_FILE_SIZE", "answers", "call_within", "download_image", "hub_settings"]
