"""The page: components first, then what joins them."""

import gradio as gr

from page.api import add_endpoint
from page.choices import choice_input
from page.detector_choices import default_detector, detector_choices, weights_state
from page.entity_spans import EntitySelection
from page.examples.catalog import EXAMPLES
from page.extractor import Extractor
from page.feedback import RIGHT, WRONG, FeedbackFile
from page.guarded_blocks import GuardedBlocks
from page.handlers import (
    Handlers,
    choose_example,
    choose_pair,
    clear_entities,
    follow_link,
    pick_word,
    read_link,
)
from page.labels import relation_label
from page.render.answer import CHOOSE_PAIR
from page.render.example_cards import CHOOSE_EXAMPLE, cards_html
from page.render.words import CLICK_WORDS, words_html
from page.uploads import picture_input
from vmhan.request_limits import DEFAULT_LIMITS

INTRODUCTION = """<header class="intro"><h1>Who is what to whom?</h1>
<p>One sentence and one picture often hold several relations. VM-HAN names the relation of every pair of entities,
says how likely it is, and shows the attention that it paid. Pick an example, or write your own.</p></header>"""
_QUICK = {"show_progress": "hidden", "api_visibility": "private"}


def build_page(extractor: Extractor, feedback: FeedbackFile | None = None) -> gr.Blocks:
    """The page of a model.

    Args:
        extractor: The model.
        feedback: Where verdicts are kept; without it nobody is asked for any.
    """
    handlers = Handlers(extractor, feedback)
    page = GuardedBlocks(title="VM-HAN: who is what to whom?", analytics_enabled=False, delete_cache=(3600, 86400))
    with page:
        _html(INTRODUCTION)
        cards = _html(cards_html(EXAMPLES), js_on_load=CHOOSE_EXAMPLE)
        with gr.Row():
            with gr.Column(scale=3, min_width=300):
                sentence, words, join, suggest, clear = _sentence_inputs(extractor)
                detector, weights = _detector_inputs(extractor)
            with gr.Column(scale=2, min_width=300):
                picture, description, describe = _picture_inputs()
        run = gr.Button("Find relations", variant="primary", size="lg", elem_id="run")
        answer_shown = _html("", js_on_load=CHOOSE_PAIR, elem_id="answer")
        entities, answer, filled, slug = gr.State(EntitySelection()), gr.State(), gr.State(""), gr.State()

        everything = [sentence, picture, description, filled, slug, entities, words, answer, answer_shown]
        for filled_in in (
            page.load(read_link, None, slug, **_QUICK).success(follow_link, [sentence, slug], everything, **_QUICK),
            cards.select(choose_example, None, everything, **_QUICK),
        ):
            # Two steps: the second sees what the visitor has written meanwhile.
            prepared = filled_in.then(
                handlers.prepare_example,
                slug,
                None,
                concurrency_id="model",
                api_visibility="private",
            )
            prepared.failure(lambda: "", None, answer_shown, **_QUICK)
            prepared.then(handlers.show_example, [sentence, slug, entities], [answer, answer_shown], **_QUICK)
        picked = [entities, words, answer, answer_shown]  # an answer goes with what it was an answer to
        # Not `input`: Gradio 6.31 fires that for typed characters only, so a paste or a deletion would go unseen.
        sentence.change(
            handlers.edit_sentence,
            [sentence, entities],
            picked,
            trigger_mode="always_last",
            **_QUICK,
        )
        one_by_one = {"trigger_mode": "multiple", "concurrency_limit": 1}  # no click is lost, and none overtakes
        words.select(pick_word, [entities, join], picked, **one_by_one, **_QUICK)
        suggest.click(handlers.suggest, sentence, picked, **_QUICK)
        clear.click(clear_entities, sentence, picked, **_QUICK)
        gr.on(
            [picture.upload, picture.clear],
            handlers.change_picture,
            [description, filled],
            [description, filled, slug, answer, answer_shown],
            **_QUICK,
        )
        describe.click(
            handlers.describe, [picture, detector], [description, filled], concurrency_id="model",
            api_visibility="private",
        )  # fmt: skip
        detector.change(weights_state, detector, weights, **_QUICK)
        gr.on(
            [run.click, sentence.submit],
            handlers.find_relations,
            [sentence, entities, picture, description, detector, slug, filled],
            [answer, answer_shown, description, filled],
            show_progress_on=answer_shown,
            concurrency_id="model",
            concurrency_limit=1,
            api_visibility="private",
        )
        answer_shown.select(choose_pair, answer, [answer, answer_shown], **_QUICK)
        if feedback:
            _feedback_inputs(handlers, answer)
        add_endpoint(extractor)
    return page.queue(default_concurrency_limit=4)


def _html(value: str, **settings) -> gr.HTML:
    return gr.HTML(value, apply_default_css=False, **{"js_on_load": None, **settings})


def _sentence_inputs(extractor: Extractor) -> tuple:
    sentence = gr.Textbox(
        label="Sentence",
        placeholder="Write or paste a sentence that names people, places, organisations, events …",
        lines=2,
        max_lines=6,
        submit_btn=False,
        elem_id="sentence",
    )
    words = _html(
        words_html(EntitySelection(), DEFAULT_LIMITS.max_text_length), js_on_load=CLICK_WORDS, elem_id="words"
    )
    join = gr.Checkbox(True, label="Words that stand side by side make one entity", container=False)
    with gr.Row():
        by = "by the tagger" if extractor.tagger else "by capital letters"
        suggest = gr.Button(f"Suggest entities {by}", size="sm", min_width=120)
        clear = gr.Button("Clear entities", size="sm", min_width=120)
    return sentence, words, join, suggest, clear


def _picture_inputs() -> tuple:
    picture = picture_input(
        label="Picture (optional)", type="pil", sources=["upload", "clipboard", "webcam"], height=230, buttons=[]
    )
    description = gr.Textbox(
        label="What the picture shows (optional)",
        info="The model knows a picture by these words and by the objects in it.",
        placeholder="Two men in suits, one points with his finger.",
        lines=2,
        max_lines=5,
    )
    return picture, description, gr.Button("Describe the picture for me", size="sm")


def _detector_inputs(extractor: Extractor) -> tuple:
    first = default_detector(extractor.detector)
    detector = choice_input(
        detector_choices(extractor.detector),
        "Choose one of the detectors that the page offers.",
        value=first,
        label="What looks for objects in the picture",
        filterable=False,
    )
    weights = gr.Markdown(weights_state(first), elem_classes="note")
    return detector, weights


def _feedback_inputs(handlers: Handlers, answer: gr.State) -> None:
    try:
        labels = [(relation_label(label), label) for label in handlers.extractor.labels]
    except (OSError, ValueError):  # said when a question comes
        labels = []
    with gr.Row(elem_id="feedback"):
        right = gr.Button("This pair is right", size="sm")
        wrong = gr.Button("This pair is wrong", size="sm")
        told = "Choose one of the relations that the page offers, or none."
        note = "Optional, goes with “wrong”."
        corrected = choice_input(labels, told, optional=True, value=None, label="It should be", info=note)
    right.click(lambda shown: handlers.keep_verdict(shown, RIGHT, None), answer, answer, **_QUICK)
    wrong.click(lambda shown, label: handlers.keep_verdict(shown, WRONG, label), [answer, corrected], answer, **_QUICK)
