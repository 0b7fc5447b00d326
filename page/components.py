"""Components of the page by section: sentence, image, detector, answer and feedback."""

from dataclasses import dataclass

import gradio as gr

from page.detector_choices import default_detector, detector_choices, weights_state
from page.entity_spans import EntitySelection
from page.errors import user_error
from page.extractor import Extractor
from page.labels import relation_label
from page.render.answer import CHOOSE_PAIR
from page.render.words import CLICK_WORDS, words_html
from page.uploads import read_upload
from vmhan.request_limits import DEFAULT_LIMITS

#: What is marked in each annotation style.
STYLE_NOTES = {"general": "plain sentences", "mnre": "as the annotators of the MNRE benchmark would mark"}


# Kinds of components


def html_block(value: str, **settings) -> gr.HTML:
    """Builds an HTML component without Gradio's own style and script."""
    return gr.HTML(value, apply_default_css=False, **{"js_on_load": None, **settings})


def image_input(**settings) -> gr.Image:
    """Builds an image component that gives an upright RGB image, or a friendly error.

    The rule is put on the instance: of a subclass, Gradio would write a type stub next to this file. An event must
    give it plain values, never an update such as `gr.skip()`, for which Gradio would build it anew without it.
    """
    image = gr.Image(**settings)
    image.preprocess = read_upload
    return image


def choice_input(choices: list[tuple[str, str]], message: str, optional: bool = False, **settings) -> gr.Dropdown:
    """Builds a dropdown that takes one of its choices from programs too, and nothing else.

    The rule is put on the instance, as that of `image_input`. Gradio's own lists all values in its message, of which
    one may be a path of this machine, and lets lists of them through.

    Args:
        choices: A label and a value each.
        message: The error for anything else.
        optional: Whether None is a choice.
    """
    values = [value for _, value in choices] + [None] * optional

    def check_choice(payload) -> str | None:
        if payload not in values:
            raise user_error(message)
        return payload

    dropdown = gr.Dropdown(choices, **settings)
    dropdown.preprocess = check_choice
    return dropdown


# Sections


@dataclass(frozen=True)
class SentenceSection:
    """The sentence, its words as buttons, and the entities selected among them."""

    text: gr.Textbox
    words: gr.HTML
    join: gr.Checkbox
    suggest: gr.Button
    clear: gr.Button
    entities: gr.State

    @classmethod
    def build(cls) -> "SentenceSection":
        """Builds the section."""
        text = gr.Textbox(
            label="Sentence",
            placeholder="Write or paste a sentence that names people, places, organizations, events …",
            lines=2,
            max_lines=6,
            submit_btn=False,
            elem_id="sentence",
        )
        no_words = words_html(EntitySelection(), DEFAULT_LIMITS.max_text_length)
        words = html_block(no_words, js_on_load=CLICK_WORDS, elem_id="words")
        join = gr.Checkbox(True, label="Words that stand side by side make one entity", container=False)
        with gr.Row():
            suggest = gr.Button("Suggest entities", size="sm", min_width=120)
            clear = gr.Button("Clear entities", size="sm", min_width=120)
        return cls(text, words, join, suggest, clear, gr.State(EntitySelection()))


@dataclass(frozen=True)
class DetectorSection:
    """The choice of a detector, and the state of its weights."""

    choice: gr.Dropdown
    weights: gr.Markdown

    @classmethod
    def build(cls, extractor: Extractor) -> "DetectorSection":
        """Builds the section."""
        first = default_detector(extractor.detector)
        choice = choice_input(
            detector_choices(extractor.detector),
            "Choose one of the detectors that the page offers.",
            value=first,
            label="Detector of objects in the image",
            filterable=False,
        )
        return cls(choice, gr.Markdown(weights_state(first), elem_classes="note"))


@dataclass(frozen=True)
class StyleSection:
    """The choice of an annotation style; where the model knows none, a state that is None."""

    choice: gr.Dropdown | gr.State

    @classmethod
    def build(cls, extractor: Extractor) -> "StyleSection":
        """Builds the section."""
        try:
            styles = extractor.annotation_styles
        except (OSError, ValueError):  # the first request says so
            styles = []
        if not styles:
            return cls(gr.State())
        with gr.Accordion("More choices", open=False):
            choice = choice_input(
                [(style, style) for style in styles],
                "Choose one of the annotation styles that the page offers.",
                value=styles[0],
                label="Annotation style",
                info=style_note(styles),
                filterable=False,
            )
        return cls(choice)


def style_note(styles: list[str]) -> str:
    """Explains those annotation styles that the page knows, in one line."""
    return "; ".join(f"{style}: {STYLE_NOTES[style]}" for style in styles if style in STYLE_NOTES)


@dataclass(frozen=True)
class ImageSection:
    """The image and its description.

    Args:
        filled_description: The description that the page, not the visitor, has filled in.
    """

    image: gr.Image
    description: gr.Textbox
    describe: gr.Button
    filled_description: gr.State

    @classmethod
    def build(cls) -> "ImageSection":
        """Builds the section."""
        sources = ["upload", "clipboard", "webcam"]
        image = image_input(label="Image (optional)", type="pil", sources=sources, height=230, buttons=[])
        description = gr.Textbox(
            label="What the image shows (optional)",
            info="The model knows an image by these words and by the objects in it.",
            placeholder="Two men in suits, one points with his finger.",
            lines=2,
            max_lines=5,
        )
        return cls(image, description, gr.Button("Describe the image for me", size="sm"), gr.State(""))


@dataclass(frozen=True)
class AnswerSection:
    """The button that asks for an answer, and the answer: its data and its HTML."""

    run: gr.Button
    html: gr.HTML
    data: gr.State

    @classmethod
    def build(cls) -> "AnswerSection":
        """Builds the section."""
        run = gr.Button("Find relations", variant="primary", size="lg", elem_id="run")
        return cls(run, html_block("", js_on_load=CHOOSE_PAIR, elem_id="answer"), gr.State())


@dataclass(frozen=True)
class FeedbackSection:
    """The buttons that rate a pair."""

    right: gr.Button
    wrong: gr.Button
    corrected: gr.Dropdown

    @classmethod
    def build(cls, extractor: Extractor) -> "FeedbackSection":
        """Builds the section."""
        try:
            labels = [(relation_label(label), label) for label in extractor.labels]
        except (OSError, ValueError):  # the first request says so
            labels = []
        with gr.Row(elem_id="feedback"):
            right = gr.Button("This pair is right", size="sm")
            wrong = gr.Button("This pair is wrong", size="sm")
            message = "Choose one of the relations that the page offers, or none."
            note = "Optional, goes with “wrong”."
            corrected = choice_input(labels, message, optional=True, value=None, label="It should be", info=note)
        return cls(right, wrong, corrected)
