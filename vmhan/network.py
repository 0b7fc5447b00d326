"""What other machines are asked, within a limit of seconds."""

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


__all__ = ["answers", "call_within", "hub_settings"]
