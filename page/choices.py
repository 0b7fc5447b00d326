"""Dropdowns whose choices hold for programs too."""

import gradio as gr

from page.errors import user_error


def choice_input(choices: list[tuple[str, str]], told: str, optional: bool = False, **settings) -> gr.Dropdown:
    """A dropdown that takes one of its choices and nothing else, or says what to do.

    The rule is put on the instance, as that of `picture_input`. Gradio's own lists all values in its message, of which
    one may be a path of this machine, and lets lists of them through.

    Args:
        choices: A label and a value each.
        told: The message for anything else.
        optional: Whether nothing may be chosen.
    """
    values = [value for _, value in choices] + [None] * optional

    def choose(payload) -> str | None:
        if payload not in values:
            raise user_error(told)
        return payload

    dropdown = gr.Dropdown(choices, **settings)
    dropdown.preprocess = choose
    return dropdown
