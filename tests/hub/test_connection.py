"""What goes wrong on the way to the Hub is told as what it is."""

import errno

import pytest
from huggingface_hub.errors import HTTPError, LocalEntryNotFoundError

from hub.connection import HubError, explained_errors

NAME = "ada/vmhan-tiny"


def explain(error: Exception, cause: Exception | None = None) -> str:
    """What the user reads of an error."""
    with pytest.raises(HubError) as told, explained_errors(NAME):
        raise error from cause
    return str(told.value)


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_file_that_cannot_be_read_or_written_is_not_blamed_on_the_token(number):
    said = explain(OSError(number, "refused", "/cache/blob"))
    assert "is the cause, not the Hub" in said and "/cache/blob" in said and "token" not in said
    assert explain(RuntimeError("Error while uploading"), OSError(number, "refused", "/cache/blob")) == said


def test_rights_that_the_storage_of_large_files_refuses_are_the_tokens():
    assert "The token may not write" in explain(PermissionError("not authorised"))


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (HTTPError("cut"), None),
        (ConnectionError("cut"), None),
        (RuntimeError("Error while uploading"), HTTPError("cut")),
        (LocalEntryNotFoundError("neither there nor in the cache"), HTTPError("cut")),
    ],
    ids=["client", "Xet", "upload", "download"],
)
def test_broken_connection_is_called_that(error, cause):
    assert explain(error, cause).startswith("The connection to the Hub broke: cut. Run the same command again")


def test_upload_that_fails_without_a_reason_is_called_that():
    assert explain(RuntimeError("no luck")).startswith(f"The upload to '{NAME}' failed: no luck. Run the same")


@pytest.mark.parametrize("error", [NotImplementedError("later"), RecursionError("deep"), FileNotFoundError("no rows")])
def test_error_of_something_else_stays_what_it_is(error):
    with pytest.raises(type(error)), explained_errors(NAME):
        raise error
