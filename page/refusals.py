"""Friendly messages for what cannot be answered."""

from html import escape

import gradio as gr


def refuse(title: str, message: str) -> gr.Error:
    """A toast. Gradio renders its message as HTML, so what a visitor wrote is escaped."""
    return gr.Error(escape(message), title=title, print_exception=False)
