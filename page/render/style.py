"""How the page looks: Gradio's own font and colors, in light and in dark, from 360 pixels on."""

import gradio as gr

from page.render.environment import read_styles

_READABLE = {  # where Gradio's greys are too faint, and its orange too bright below white letters
    **dict.fromkeys(("block_info_text_color", "body_text_color_subdued", "input_placeholder_color"), "*neutral_500"),
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
}
#: Gradio's own font, but with the bold weight: the half-bold file it ships lacks the Latin letters.
THEME = gr.themes.Default(font=gr.themes.LocalFont("Source Sans Pro", weights=(400, 700))).set(
    **_READABLE, **{f"{name}_dark": color.replace("500", "400") for name, color in _READABLE.items()}
)
CSS = read_styles()
