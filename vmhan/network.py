"""Requests to other machines, each within limits of time and size: to the Hub, and for images by their address."""

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
ANSWER_TIMEOUT = 5  # seconds for one request; transformers tries six times for each of many files
MAX_FILE_SIZE = 20_000_000  # bytes
DOWNLOAD_TIMEOUT = 30  # seconds in all
SILENCE_TIMEOUT = 10  # seconds until the server answers, and between two parts of the file
MAX_REDIRECTS = 3
_BUSY = 429


def call_within(seconds: float, function: Callable[[], T]) -> T:
    """Calls `function` in a thread of its own, which is left behind if it takes longer.

    The timeouts of HTTP clients start anew with each read, and do not count the look-up of a name.

    Raises:
        TimeoutError: It took longer.
    """
    outcome: Future[T] = Future()

    def work() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=work, daemon=True).start()
    return outcome.result(timeout=seconds)


def is_reachable(address: str) -> bool:
    """Returns whether the server of a web address answers, with any status."""
    try:
        call_within(ANSWER_TIMEOUT, lambda: httpx.head(address, timeout=ANSWER_TIMEOUT))
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return False
    return True


def hub_settings(name: str) -> dict[str, bool]:
    """Builds the settings of `from_pretrained` for the model `name`: the cache alone, where the Hub does not answer.

    transformers would wait and try again for each file that a model might have, for minutes in all.

    Args:
        name: Hub id or folder. For a folder no request is sent.
    """
    if Path(name).is_dir() or _hub_answers(name):
        return {}
    return {"local_files_only": True}


def _hub_answers(name: str) -> bool:
    try:
        address = hf_hub_url(name, "config.json")
        call_within(ANSWER_TIMEOUT, lambda: get_hf_file_metadata(address, timeout=ANSWER_TIMEOUT))
    except HfHubHTTPError as error:  # no such model, or no access: transformers names it well, and at once
        return error.response.status_code < 500 and error.response.status_code != _BUSY
    except (httpx.HTTPError, OfflineModeIsEnabled, OSError):
        return False
    except ValueError:  # no valid Hub id
        return True
    return True


def download_image(address: str) -> bytes:
    """Fetches the file at an http or https address.

    Raises:
        ValueError: There is none, or it is too large or too slow; names the address.
    """
    try:
        # the client's own timeouts begin after the look-up of the name, which cannot be interrupted
        return call_within(DOWNLOAD_TIMEOUT + 1, lambda: asyncio.run(_fetch(address)))
    except TimeoutError as error:
        raise _not_fetched(address, f"it takes longer than {DOWNLOAD_TIMEOUT} seconds") from error
    except httpx.TimeoutException as error:
        raise _not_fetched(address, f"its server is silent for {SILENCE_TIMEOUT} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise _not_fetched(address, str(error) or type(error).__name__) from error


async def _fetch(address: str) -> bytes:
    client = httpx.AsyncClient(
        headers={"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "vmhan"},
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        timeout=SILENCE_TIMEOUT,
    )
    content = bytearray()
    async with asyncio.timeout(DOWNLOAD_TIMEOUT), client, client.stream("GET", address) as response:
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"it answers {response.status_code} {response.reason_phrase}".rstrip())
        async for part in response.aiter_bytes():
            content += part
            if len(content) > MAX_FILE_SIZE:
                raise ValueError(f"it is larger than {MAX_FILE_SIZE // 1_000_000} MB")
    return bytes(content)


def _not_fetched(address: str, why: str) -> ValueError:
    return ValueError(f"The image at {address[:200]!r} cannot be fetched: {why}. Check the address, or give the file.")


__all__ = ["MAX_FILE_SIZE", "call_within", "download_image", "hub_settings", "is_reachable"]
