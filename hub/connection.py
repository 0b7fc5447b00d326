"""Connection to the Hub: login, repositories, and errors that say what to do."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from huggingface_hub import HfApi
from huggingface_hub.errors import (
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

LOGIN = (
    "Log in with `hf auth login`, or set HF_TOKEN to a token with write access; "
    "the Hub creates one under Settings > Access Tokens."
)


class HubError(Exception):
    """An error that the user can fix; the message says how."""


@contextmanager
def explained_errors(repository: str) -> Iterator[None]:
    """Converts errors of the client about `repository` to a `HubError`."""
    try:
        yield
    except HFValidationError as error:
        raise HubError(
            f"{repository!r} is no name of a repository: {error}. Write user/name, in letters, digits, '-', '_', '.'."
        ) from error
    except (HTTPError, OSError, RuntimeError) as error:
        # a failed LFS upload raises a RuntimeError, a failed download a missing file, each with its cause
        reason = error.__cause__ if isinstance(error, RuntimeError | LocalEntryNotFoundError) else None
        explanation = _explain(reason or error, repository)
        if explanation is None:
            raise
        raise HubError(explanation) from error


def _explain(error: BaseException, repository: str) -> str | None:
    """The message for an error of the Hub or of this machine's files; None for others."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = getattr(error, "server_message", None) or error
    if isinstance(error, LocalTokenNotFoundError) or status == 401:
        return f"The Hub does not know who requests {repository!r}. {LOGIN}"
    # a PermissionError with a number is of a file of this machine
    if status == 403 or (isinstance(error, PermissionError) and error.errno is None):
        return (
            f"The token may not write to {repository!r}: {reason}. Use a name under your own user or organisation, "
            "and a token with write access to it."
        )
    if status == 409:
        return (
            f"The name {repository!r} is taken by a repository that the token may not see ({reason}). Choose another "
            "name, or use a token that may see and write it."
        )
    if isinstance(error, RepositoryNotFoundError):
        return f"There is no {repository!r} on the Hub, or the token may not see it; check the name. {LOGIN}"
    if status is not None:
        return f"The Hub refused {repository!r}: {error}"
    if isinstance(error, OfflineModeIsEnabled):
        return "The Hub's client is switched off by HF_HUB_OFFLINE; unset it and run the same command again."
    if isinstance(error, HTTPError | ConnectionError | LocalEntryNotFoundError):
        return _again(f"The connection to the Hub broke: {error or type(error).__name__}")
    if isinstance(error, OSError) and error.errno is not None:
        return (
            f"A file of this machine is the cause, not the Hub: {error}. Fix that and run the same command again; "
            "HF_HOME sets where the Hub's client stores its files."
        )
    # the client of Xet, which is not Python, raises a plain RuntimeError for an upload
    return _again(f"The upload to {repository!r} failed: {error}") if type(error) is RuntimeError else None


def _again(failure: str) -> str:
    return f"{failure}. Run the same command again; the large files that have arrived are not sent twice."


def check_login(name: str) -> None:
    """Checks the form of a name, and that the user is logged in.

    Raises:
        HubError: Says how to write the name, or how to log in.
    """
    if name.count("/") != 1:
        raise HubError(f"{name!r} is not of the form user/name; put your user name or organisation before it.")
    with explained_errors(name):
        HfApi().whoami()


def open_repository(api: HfApi, name: str, kind: str, private: bool, **settings) -> bool:
    """Creates the repository unless it exists, and returns whether it did.

    Args:
        name: `user/name`.
        kind: `"model"`, `"dataset"` or `"space"`.
        private: Whether only its owner may see it.
        settings: Further arguments of `create_repo`.

    Raises:
        HubError: Nobody is logged in, the token has no rights there, or a public repository has to be private.
    """
    check_login(name)  # the client checks nothing else before the first file has been read
    with explained_errors(name):
        if not api.repo_exists(name, repo_type=kind):
            api.create_repo(name, repo_type=kind, private=private, **settings)
            return False
        api.auth_check(name, repo_type=kind, write=True)
        if private and not api.repo_info(name, repo_type=kind).private:
            raise HubError(
                f"{name!r} exists and is public. Make it private in its settings on the Hub, take another name, or "
                "allow it to be public."
            )
    return True


def is_private(name: str, kind: str) -> bool:
    """Tests whether only its owner may see a repository.

    Raises:
        HubError: The user sees none of this name.
    """
    with explained_errors(name):
        return bool(HfApi().repo_info(name, repo_type=kind).private)


def run_command(name: str, main: Callable[[list[str]], object]) -> None:
    """Runs a command line; a `HubError` is printed as one line, not as a stack trace."""
    # its "Retrying" and "No files have been modified" would repeat what the commands print
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        main(sys.argv[1:])
    except HubError as error:
        raise SystemExit(f"{name}: {error}") from error
