"""Event handlers of the page, by section: entities, image, answer and feedback."""

import gradio as gr
from PIL import Image

from page.detector_choices import detector_title, fallback_warning, usable_detector
from page.entity_spans import (
    EntitySelection,
    carry_entities,
    entity_inputs,
    select_found,
    suggest_entities,
    toggle_word,
)
from page.errors import log_unavailable, unavailable_error, user_error, warn_unavailable
from page.examples.catalog import find_example, marked_objects
from page.extractor import Extractor
from page.feedback import RIGHT, WRONG, FeedbackFile
from page.labels import number_objects, sort_pairs
from page.render.image_svg import data_address
from page.request_checks import add_warning, run_extraction
from page.updates import (
    AnswerUpdate,
    DescriptionUpdate,
    EntityUpdate,
    ImageUpdate,
    RelationsUpdate,
    RequestForm,
    show_answer,
    show_entities,
)
from vmhan.object_detection import NO_DETECTOR
from vmhan.request_limits import DEFAULT_LIMITS


class Handlers:
    """The events of one page.

    Args:
        extractor: The model.
        feedback: The file of ratings, or None.
    """

    def __init__(self, extractor: Extractor, feedback: FeedbackFile | None = None):
        self.extractor, self.feedback = extractor, feedback
        self._tagger_failed = self._model_failed = False

    # Entities

    def edit_sentence(self, sentence: str, entities: EntitySelection) -> EntityUpdate:
        """Updates the entities of a sentence that was edited."""
        sentence = sentence or ""
        if sentence == entities.sentence:
            return gr.skip()
        return show_entities(self.entities_after_edit(sentence, entities))

    def entities_after_edit(self, sentence: str, entities: EntitySelection) -> EntitySelection:
        """Carries over the entities that a visitor selected, while their words are there, or suggests others."""
        if entities.by_hand and len(sentence) <= DEFAULT_LIMITS.max_text_length:
            carried = carry_entities(entities, sentence)
            if carried.word_spans:
                return carried
        return self.suggest_entities(sentence)

    def suggest_entities(self, sentence: str) -> EntitySelection:
        """Suggests entities: those that the tagger finds, if there is one and until it fails, or else the model."""
        if len(sentence) > DEFAULT_LIMITS.max_text_length or not sentence.strip():
            return EntitySelection(sentence)
        if self.extractor.tagger and not self._tagger_failed:
            try:
                return self.extractor.get_tagger().suggest(sentence)
            except (OSError, ValueError, RuntimeError) as error:
                self._tagger_failed = True  # or every change of the sentence would try again
                warn_unavailable("The tagger is unavailable now; entities are suggested without it.", error)
        found = self._find_by_model(sentence)
        # The rule of capital letters remains for models without a mention head, such as the bundled one until its next
        # weights ship, and while no model can be loaded.
        return suggest_entities(sentence) if found is None else select_found(sentence, found)

    def _find_by_model(self, sentence: str) -> list | None:
        """Finds mentions by the model; None if it has no mention head, or is unavailable, which a request reports."""
        if self._model_failed and self.extractor.missing(NO_DETECTOR):
            return None  # or every change of the sentence would try to load it
        try:
            return self.extractor.find_mentions(sentence)
        except (OSError, ValueError, RuntimeError) as error:
            self._model_failed = True
            log_unavailable("The model is unavailable now; capital letters suggest entities.", error)
            return None

    def suggest(self, sentence: str) -> EntityUpdate:
        """Replaces the entities by suggestions."""
        return show_entities(self.suggest_entities(sentence or ""))

    def toggle_word(self, entities: EntitySelection, join: bool, event: gr.EventData) -> EntityUpdate:
        """Selects the word that was clicked, or removes it from its entity."""
        return show_entities(toggle_word(entities, int(event.word), join))

    def clear_entities(self, sentence: str) -> EntityUpdate:
        """Removes all entities."""
        return show_entities(EntitySelection(sentence or "", by_hand=True))

    # Image

    def change_image(self, description: str, filled_description: str) -> ImageUpdate:
        """Clears what belongs to the old image; a visitor's own description stays."""
        return ImageUpdate(description="" if description == filled_description else gr.skip())

    def describe(self, image: Image.Image | None, detector: str) -> DescriptionUpdate:
        """Describes the image, for the visitor to edit."""
        if image is None:
            raise user_error("Add an image first, or describe in your own words what it shows.")
        has_describer = bool(self.extractor.describer)
        detector = NO_DETECTOR if has_describer else usable_detector(self.extractor, detector, image)
        try:
            description = self.extractor.describe(image, detector)
        except (OSError, ValueError, RuntimeError) as error:
            message = "This image cannot be described now. Say in your own words what it shows."
            raise unavailable_error(message, error) from error
        if detector == NO_DETECTOR and not has_describer:
            raise user_error("Choose a detector, or say in your own words what the image shows.")
        if not description:
            raise user_error("Nothing was found in this image. Describe it in your own words.")
        return DescriptionUpdate(description, description)

    # Answer

    def find_relations(
        self,
        sentence: str,
        entities: EntitySelection,
        image: Image.Image | None,
        description: str,
        detector: str,
        annotation_style: str | None,
        example: str | None,
        filled_description: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how Gradio wants it
    ) -> RelationsUpdate:
        """Answers the form; its parameters are the fields of `RequestForm`."""
        sentence = sentence or ""
        if sentence != entities.sentence:  # the last keystroke may still be on its way
            entities = self.entities_after_edit(sentence, entities)
        form = RequestForm(
            sentence, entities, image, description, detector, annotation_style, example, filled_description
        )
        self._report_progress(form, progress)
        answer = self.build_answer(form)
        if (description or "").strip() or not answer["description"]:
            filled = DescriptionUpdate(gr.skip(), gr.skip())
        else:
            filled = DescriptionUpdate(answer["description"], answer["description"])
        return RelationsUpdate(*show_answer(answer), *filled)

    def _report_progress(self, form: RequestForm, progress: gr.Progress) -> None:
        missing = self.extractor.missing(NO_DETECTOR if form.image is None else form.detector)
        if missing:
            progress(0.1, desc=f"Loading {' and '.join(missing)}")
        elif form.detector != NO_DETECTOR and form.image is not None:
            progress(0.5, desc="Detecting objects in the image")

    def build_answer(self, form: RequestForm) -> dict:
        """Extracts the relations of a form, and adds to the pipeline's answer what the page shows of it.

        Returns:
            The answer with sorted `"pairs"`, each marked as `"related"` or not, numbered `"objects"` and their
            `"source"`, the `"text"`, and the `"image"`: None, or its `"address"` and `"size"`.
        """
        detector = usable_detector(self.extractor, form.detector, form.image)
        answer, source = self._extract(form, detector)
        answer = number_objects(add_warning(answer, fallback_warning(form.detector, detector)))
        no_relation = self.extractor.no_relation
        pairs = [{**pair, "related": pair["relation"] != no_relation} for pair in answer["pairs"]]
        shown = form.image and {"address": data_address(form.image), "size": form.image.size}
        return {**answer, "pairs": sort_pairs(pairs), "text": form.sentence, "image": shown, "source": source}

    def _extract(self, form: RequestForm, detector: str) -> tuple[dict, str]:
        """Extracts the relations; of an example without detected objects again, with the objects that we marked.

        Returns:
            The pipeline's answer and the source of its objects.
        """
        request = form.sentence, entity_inputs(form.entities), form.image, form.description
        settings = {"detector": detector, "annotation_style": form.annotation_style}
        answer = run_extraction(self.extractor, *request, **settings)
        example = find_example(form.example)
        marked = marked_objects(example, form.image.size) if example and form.image else None
        if not marked or any(item["box"] for item in answer["objects"]):
            return answer, _source(answer["objects"], detector)
        return run_extraction(self.extractor, *request, marked, **settings), "Marked by us for this example."

    def choose_pair(self, answer: dict | None, event: gr.EventData) -> AnswerUpdate:
        """Shows the pair that was clicked, or compares it with the one that is shown."""
        if not answer or not 0 <= int(event.pair) < len(answer["pairs"]):
            return gr.skip()
        pair, chosen, other = int(event.pair), answer["chosen"], answer["other"]
        if not event.compare:
            return show_answer(answer, pair, None if other == pair else other)
        return show_answer(answer, chosen, None if pair in (other, chosen) else pair)

    # Feedback

    def mark_right(self, answer: dict | None) -> dict:
        """Records that the relation of the chosen pair is right."""
        return self._record_rating(answer, RIGHT, None)

    def mark_wrong(self, answer: dict | None, corrected: str | None) -> dict:
        """Records that the relation of the chosen pair is wrong, with the right one if the visitor names it."""
        return self._record_rating(answer, WRONG, corrected)

    def _record_rating(self, answer: dict | None, rating: str, corrected: str | None) -> dict:
        """Appends a rating to the file, once; returns the answer with its `"ratings"` by pair."""
        if not answer:
            raise user_error("Find relations first, then say what you think of them.")
        chosen = answer["chosen"]
        ratings = {**answer.get("ratings", {}), chosen: (rating, corrected)}
        if ratings == answer.get("ratings"):  # a double click
            return answer
        try:
            self.feedback.add(self.extractor.name, answer["text"], answer["pairs"][chosen], rating, corrected)
        except OSError as error:
            raise unavailable_error("Your feedback could not be saved. Please try later.", error) from error
        gr.Info("Thank you, that is kept.")
        return {**answer, "ratings": ratings}


def _source(objects: list[dict], detector: str) -> str:
    """Names the source of the objects, in a sentence."""
    if not objects:
        return ""
    return "Named in the description." if objects[0]["box"] is None else f"{detector_title(detector)} found them."
