"""Images at web addresses, fetched within limits of size, time and redirects."""

import asyncio

from huggingface_hub.utils import httpx

from .network import call_within

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


__all__ = ["MAX_FILE_SIZE", "download_image"]
