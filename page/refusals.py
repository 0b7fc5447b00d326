"""Friendly messages for what cannot be answered."""

import logging
from html import escape

import gradio as gr

_log = logging.getLogger(__name__)


def refuse(message: str) -> gr.Error:
    """A toast, whose title is always "Error". Gradio renders it as HTML, so what a visitor wrote is escaped."""
    return gr.Error(escape(message), print_exception=False)


def unavailable(message: str, error: Exception) -> gr.Error:
    """A toast about what is missing here. Its cause, with paths and what to do, goes to whoever runs the page."""
    _log.warning("%s\n  %s", message, error)
    return refuse(message)
