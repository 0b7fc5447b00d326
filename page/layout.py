"""The page: its components, section by section, and then the events that join them."""

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import gradio as gr

from page.api import add_endpoint
from page.components import (
    AnswerSection,
    DetectorSection,
    FeedbackSection,
    ImageSection,
    SentenceSection,
    StyleSection,
    html_block,
)
from page.detector_choices import weights_state
from page.examples.catalog import EXAMPLES
from page.examples.handlers import ExampleHandlers
from page.extractor import Extractor
from page.feedback import FeedbackFile
from page.handlers import Handlers
from page.render.example_cards import CHOOSE_EXAMPLE, cards_html
from page.render.introduction import INTRODUCTION
from page.request_guard import GuardedBlocks
from page.updates import (
    AnswerUpdate,
    DescriptionUpdate,
    EntityUpdate,
    ExampleUpdate,
    ImageUpdate,
    RelationsUpdate,
    RequestForm,
)

Fields = TypeVar("Fields", bound=NamedTuple)
_PRIVATE = {"api_visibility": "private"}
_QUICK = {"show_progress": "hidden", **_PRIVATE}
_MODEL = {"concurrency_id": "model", **_PRIVATE}  # one at a time


@dataclass(frozen=True)
class Components:
    """All components of the page by section; `example` is the slug of the example that is filled in."""

    cards: gr.HTML
    example: gr.State
    sentence: SentenceSection
    detector: DetectorSection
    style: StyleSection
    image: ImageSection
    answer: AnswerSection
    feedback: FeedbackSection | None

    def fill(self, fields: type[Fields]) -> Fields:
        """Fills a named tuple of `page.updates` with the components that its values are for."""
        components = {
            "sentence": self.sentence.text,
            "entities": self.sentence.entities,
            "words": self.sentence.words,
            "image": self.image.image,
            "description": self.image.description,
            "filled_description": self.image.filled_description,
            "detector": self.detector.choice,
            "annotation_style": self.style.choice,
            "example": self.example,
            "answer": self.answer.data,
            "answer_html": self.answer.html,
        }
        return fields(**{name: components[name] for name in fields._fields})


def build_page(extractor: Extractor, feedback: FeedbackFile | None = None) -> gr.Blocks:
    """Builds the page of a model.

    Args:
        extractor: The model.
        feedback: The file of visitors' ratings; without one no pair can be rated.
    """
    handlers = Handlers(extractor, feedback)
    kept = (3600, 86400)  # seconds: how often uploads are looked through, and how old they become
    with GuardedBlocks(title="VM-HAN: who is what to whom?", analytics_enabled=False, delete_cache=kept) as page:
        parts = _build_components(extractor, with_feedback=feedback is not None)
        _wire_examples(page, parts, ExampleHandlers(handlers))
        _wire_entities(parts, handlers)
        _wire_image(parts, handlers)
        _wire_answer(parts, handlers)
        if parts.feedback:
            _wire_feedback(parts.feedback, parts.answer, handlers)
        add_endpoint(extractor)
    return page.queue(default_concurrency_limit=4)


def _build_components(extractor: Extractor, with_feedback: bool) -> Components:
    html_block(INTRODUCTION)
    cards = html_block(cards_html(EXAMPLES), js_on_load=CHOOSE_EXAMPLE)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            sentence = SentenceSection.build()
            detector = DetectorSection.build(extractor)
            style = StyleSection.build(extractor)
        with gr.Column(scale=2, min_width=300):
            image = ImageSection.build()
    answer = AnswerSection.build()
    feedback = FeedbackSection.build(extractor) if with_feedback else None
    return Components(cards, gr.State(), sentence, detector, style, image, answer, feedback)


def _wire_examples(page: gr.Blocks, parts: Components, handlers: ExampleHandlers) -> None:
    """Fills in an example by its link or card and, in a second step, shows its answer."""
    text, example, style = parts.sentence.text, parts.example, parts.style.choice
    form, shown = parts.fill(ExampleUpdate), parts.fill(AnswerUpdate)
    linked = page.load(handlers.read_link, None, example, **_QUICK)
    for filled_in in (
        linked.success(handlers.follow_link, [text, example], form, **_QUICK),
        parts.cards.select(handlers.choose_example, None, form, **_QUICK),
    ):
        # Two steps: the second sees what the visitor has written meanwhile.
        prepared = filled_in.then(handlers.prepare_example, [example, style], None, **_MODEL)
        prepared.failure(handlers.clear_waiting, None, shown.answer_html, **_QUICK)
        prepared.then(handlers.show_example, [text, example, parts.sentence.entities, style], shown, **_QUICK)


def _wire_entities(parts: Components, handlers: Handlers) -> None:
    """Updates the entities when the sentence changes, a word is clicked or a button pressed."""
    section, updated = parts.sentence, parts.fill(EntityUpdate)
    edited = {"trigger_mode": "always_last", **_QUICK}
    # Not `input`: Gradio 6.31 fires that for typed characters only, so a paste or a deletion would go unseen.
    section.text.change(handlers.edit_sentence, [section.text, section.entities], updated, **edited)
    clicked = {"trigger_mode": "multiple", "concurrency_limit": 1, **_QUICK}  # no click is lost, and none overtakes
    section.words.select(handlers.toggle_word, [section.entities, section.join], updated, **clicked)
    section.suggest.click(handlers.suggest, section.text, updated, **_QUICK)
    section.clear.click(handlers.clear_entities, section.text, updated, **_QUICK)


def _wire_image(parts: Components, handlers: Handlers) -> None:
    """Clears the answer when the image changes, describes the image, and shows the state of the detector's weights."""
    section, detector = parts.image, parts.detector
    description, changed = parts.fill(DescriptionUpdate), parts.fill(ImageUpdate)
    gr.on([section.image.upload, section.image.clear], handlers.change_image, description, changed, **_QUICK)
    section.describe.click(handlers.describe, [section.image, detector.choice], description, **_MODEL)
    detector.choice.change(weights_state, detector.choice, detector.weights, **_QUICK)


def _wire_answer(parts: Components, handlers: Handlers) -> None:
    """Answers the form, and shows and compares the pairs of the answer."""
    section = parts.answer
    gr.on(
        [section.run.click, parts.sentence.text.submit],
        handlers.find_relations,
        parts.fill(RequestForm),
        parts.fill(RelationsUpdate),
        show_progress_on=section.html,
        concurrency_limit=1,
        **_MODEL,
    )
    section.html.select(handlers.choose_pair, section.data, parts.fill(AnswerUpdate), **_QUICK)


def _wire_feedback(section: FeedbackSection, answer: AnswerSection, handlers: Handlers) -> None:
    """Records the rating of the chosen pair."""
    section.right.click(handlers.mark_right, answer.data, answer.data, **_QUICK)
    section.wrong.click(handlers.mark_wrong, [answer.data, section.corrected], answer.data, **_QUICK)
