"""Errors and warnings for visitors, in plain words; causes go to the log."""

import logging

import gradio as gr

_log = logging.getLogger(__name__)


class NothingToDo(gr.Error):
    """Ends an event without a message and without a change.

    `gr.skip()` cannot do that where an image is among the outputs: it is an update, for which Gradio would build the
    component anew, without the rule of `image_input`; and None would remove an image that was just added.
    """

    def __init__(self):
        super().__init__("Nothing to do.", visible=False, print_exception=False)


def user_error(message: str) -> gr.Error:
    """Builds an error with a message in plain text; `GuardedBlocks` escapes it for the page, which renders HTML."""
    return gr.Error(message, print_exception=False)


def log_unavailable(message: str, cause: Exception) -> None:
    """Logs that a model or tool is unavailable, and why, for whoever runs the page."""
    _log.warning("%s\n  %s", message, cause)


def unavailable_error(message: str, cause: Exception) -> gr.Error:
    """Builds an error about a missing model or tool, and logs its cause, which may hold paths of this machine."""
    log_unavailable(message, cause)
    return user_error(message)


def warn_unavailable(message: str, cause: Exception) -> None:
    """Warns the visitor about a missing model or tool, and logs the cause.

    Args:
        message: Without a visitor's input: nothing escapes what `gr.Warning` shows.
        cause: The error, for whoever runs the page.
    """
    log_unavailable(message, cause)
    gr.Warning(message)
