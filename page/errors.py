"""Friendly messages for what cannot be answered."""

import logging

import gradio as gr

_log = logging.getLogger(__name__)


def user_error(message: str) -> gr.Error:
    """A message in plain text. On its way to the page, where it becomes a toast, `GuardedBlocks` escapes it."""
    return gr.Error(message, print_exception=False)


def unavailable(message: str, error: Exception) -> gr.Error:
    """A message about what is missing here. Its cause, with paths and what to do, goes to whoever runs the page.

    `gr.Warning` is escaped by nobody, so its message holds no words of visitors.
    """
    _log.warning("%s\n  %s", message, error)
    return user_error(message)
