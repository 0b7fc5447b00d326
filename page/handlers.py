"""What happens on the page: every event is a method that takes values and returns values."""

import gradio as gr
from PIL import Image

from page.detector_choices import default_detector, found_by
from page.entity_spans import EntitySelection, carry_ranges, character_spans, click_word, suggest_entities
from page.errors import unavailable, user_error
from page.examples.catalog import EXAMPLES, Example, find_example, marked_objects, picture_file
from page.extractor import Extractor
from page.feedback import FeedbackFile
from page.labels import sort_pairs
from page.object_numbers import number_objects
from page.render.answer import WAITING, answer_html
from page.render.image_svg import data_address
from page.render.words import words_html
from page.request_checks import run_extraction, usable_detector
from page.uploads import read_picture
from vmhan.object_detection import NO_DETECTOR
from vmhan.request_limits import DEFAULT_LIMITS


class NothingToDo(gr.Error):
    """Ends an event quietly: nothing changes. `gr.skip()` cannot, it is an update, for which Gradio would build the
    picture's component anew, without the rule of `picture_input`; and None would take away a picture that was just
    added."""

    def __init__(self):
        super().__init__("Nothing to do.", visible=False, print_exception=False)


class Handlers:
    """The events of one page.

    Args:
        extractor: The model.
        feedback: Where verdicts are kept, or None.
    """

    def __init__(self, extractor: Extractor, feedback: FeedbackFile | None = None):
        self.extractor, self.feedback = extractor, feedback
        self._example_answers = {}
        self._tagger_failed = False

    # The sentence and its entities

    def suggest_entities(self, sentence: str) -> EntitySelection:
        """By the tagger, if there is one and until it fails, or by capital letters."""
        if not self.extractor.tagger or self._tagger_failed or len(sentence) > DEFAULT_LIMITS.max_text_length:
            return suggest_entities(sentence[: 2 * DEFAULT_LIMITS.max_text_length])._replace(sentence=sentence)
        try:
            return self.extractor.suggest_with().suggest(sentence)
        except (OSError, ValueError, RuntimeError) as error:
            self._tagger_failed = True  # or every change of the sentence would try again
            gr.Warning(unavailable("The tagger cannot be had now; capital letters suggest entities.", error).message)
            return suggest_entities(sentence)

    def edit_sentence(self, sentence: str, entities: EntitySelection) -> tuple:
        """What was picked by hand stays while its words do; otherwise suggestions. Old answers go."""
        sentence = sentence or ""
        if sentence == entities.sentence:
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        kept = ()
        if entities.by_hand and len(sentence) <= DEFAULT_LIMITS.max_text_length:
            kept = carry_ranges(entities, sentence)
        entities = EntitySelection(sentence, kept, by_hand=True) if kept else self.suggest_entities(sentence)
        return *show_entities(entities), *show_answer(None)

    def suggest(self, sentence: str) -> tuple:
        """Suggestions in place of what is picked."""
        return *show_entities(self.suggest_entities(sentence or "")), *show_answer(None)

    # Examples and pictures

    def prepare_example(self, slug: str | None) -> None:
        """Answers an example that was filled in, the first time that anybody asks for it."""
        example = find_example(slug)
        if example is None or slug in self._example_answers:
            return
        path, entities = picture_file(example), suggest_entities(example.sentence)
        picture = path and read_picture(path)
        detector = default_detector(self.extractor.detector)
        self._example_answers[slug] = self.answer(
            example.sentence, entities, picture, example.description, detector, slug
        )

    def show_example(self, sentence: str, slug: str | None, entities: EntitySelection) -> tuple:
        """The prepared answer, unless the visitor writes or picks words already."""
        answer = self._example_answers.get(slug)
        if answer is None or answer["text"] != sentence or entities.by_hand:
            return gr.skip(), gr.skip()
        return show_answer(answer)

    def change_picture(self, description: str, filled: str) -> tuple:
        """Another picture: words that were filled in for the old one go, as do its marked objects and the answer."""
        return ("" if description == filled else gr.skip()), "", None, None, ""

    def describe(self, picture: Image.Image | None, detector: str) -> tuple[str, str]:
        """Words about the picture, for the visitor to edit."""
        if picture is None:
            raise user_error("Add a picture first, or describe in your own words what it shows.")
        detector = NO_DETECTOR if self.extractor.describer else usable_detector(self.extractor, detector, picture)
        try:
            words = self.extractor.describe(picture, detector)
        except (OSError, ValueError, RuntimeError) as error:
            message = "This picture cannot be described now. Say in your own words what it shows."
            raise unavailable(message, error) from error
        if detector == NO_DETECTOR and not self.extractor.describer:
            raise user_error("Choose a detector that looks at the picture, or say in your own words what it shows.")
        if not words:
            raise user_error("Nothing was found in this picture. Describe it in your own words.")
        return words, words

    # Answers

    def answer(
        self, sentence, entities: EntitySelection, picture, description: str, detector: str, slug: str | None
    ) -> dict:
        """The model's answer with what the page needs to show it; pairs are sorted."""
        example = find_example(slug)
        detector = usable_detector(self.extractor, detector, picture)
        question = sentence, character_spans(entities), picture, description
        answer = run_extraction(self.extractor, *question, detector=detector)
        source = _source(answer["objects"], detector)
        marked = marked_objects(example, picture.size) if example and picture else None
        if marked and not any(item["box"] for item in answer["objects"]):
            answer, source = run_extraction(self.extractor, *question, marked), "Marked by us for this example."
        shown = picture and {"address": data_address(picture), "size": picture.size}
        answer = number_objects(answer)
        none = self.extractor.no_relation
        pairs = sort_pairs([{**pair, "related": pair["relation"] != none} for pair in answer["pairs"]])
        return {**answer, "pairs": pairs, "text": sentence, "picture": shown, "source": source}

    def find_relations(
        self,
        sentence: str,
        entities: EntitySelection,
        picture: Image.Image | None,
        description: str,
        detector: str,
        slug: str | None,
        filled: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio wants it
    ) -> tuple:
        """Answer, its HTML, the description and what of it was filled in."""
        sentence = sentence or ""
        if sentence != entities.sentence:  # the last keystroke may still be on its way
            entities = self.edit_sentence(sentence, entities)[0]
        missing = self.extractor.missing(NO_DETECTOR if picture is None else detector)
        if missing:
            progress(0.1, desc=f"Loading {' and '.join(missing)}")
        elif detector != NO_DETECTOR and picture is not None:
            progress(0.5, desc="Looking at the picture")
        answer = self.answer(sentence, entities, picture, description, detector, slug)
        if (description or "").strip() or not answer["description"]:
            return *show_answer(answer), gr.skip(), gr.skip()
        return *show_answer(answer), answer["description"], answer["description"]

    def keep_verdict(self, answer: dict | None, verdict: str, corrected: str | None) -> dict:
        """A visitor's word on the pair that is shown, which is kept once; the answer with what was said of it."""
        if not answer:
            raise user_error("Find relations first, then say what you think of them.")
        said = {**answer.get("said", {}), answer["chosen"]: (verdict, corrected)}
        if said == answer.get("said"):  # a double click
            return answer
        try:
            self.feedback.add(
                self.extractor.name, answer["text"], answer["pairs"][answer["chosen"]], verdict, corrected
            )
        except OSError as error:
            raise unavailable("Your word could not be written down. Please try later.", error) from error
        gr.Info("Thank you, that is kept.")
        return {**answer, "said": said}


def read_link(request: gr.Request) -> str:
    """The example that the page's address names, or the first one if it says nothing of examples."""
    slug = request.query_params.get("example")
    example = EXAMPLES[0] if slug is None else find_example(slug)
    if example is None:
        raise NothingToDo
    return example.slug


def follow_link(sentence: str, slug: str) -> tuple:
    """Fills in the example of the link, unless the visitor writes already."""
    if sentence:
        raise NothingToDo
    return fill(find_example(slug))


def choose_example(event: gr.EventData) -> tuple:
    """A click on a card."""
    example = find_example(event.example)
    if example is None:
        raise NothingToDo
    return fill(example)


def fill(example: Example) -> tuple:
    """Sentence, picture, description, what was filled in, the example, entities, words, answer and its HTML."""
    return (
        example.sentence,
        picture_file(example),
        example.description,
        example.description,
        example.slug,
        *show_entities(suggest_entities(example.sentence)),
        None,
        WAITING,
    )


def pick_word(entities: EntitySelection, join: bool, event: gr.EventData) -> tuple:
    """A click on a word."""
    return *show_entities(click_word(entities, int(event.word), join)), *show_answer(None)


def clear_entities(sentence: str) -> tuple:
    """Nothing picked."""
    return *show_entities(EntitySelection(sentence or "", by_hand=True)), *show_answer(None)


def choose_pair(answer: dict | None, event: gr.EventData) -> tuple:
    """Show a pair, or compare it with the one that is shown."""
    if not answer or not 0 <= int(event.pair) < len(answer["pairs"]):
        return gr.skip(), gr.skip()
    pair, chosen, other = int(event.pair), answer["chosen"], answer["other"]
    if not event.compare:
        return show_answer(answer, pair, None if other == pair else other)
    return show_answer(answer, chosen, None if pair in (other, chosen) else pair)


def show_entities(entities: EntitySelection) -> tuple[EntitySelection, str]:
    """The state and the words on show."""
    return entities, words_html(entities, DEFAULT_LIMITS.max_text_length)


def show_answer(answer: dict | None, chosen: int = 0, other: int | None = None) -> tuple[dict | None, str]:
    """The state and the answer on show."""
    if answer is None:
        return None, ""
    return {**answer, "chosen": chosen, "other": other}, answer_html(answer, chosen, other)


def _source(objects: list[dict], detector: str) -> str:
    """Where the objects come from."""
    if not objects:
        return ""
    return "Named in the description." if objects[0]["box"] is None else found_by(detector)
