"""Event handlers of the examples: a link or a card fills one in, and its answer is prepared once for all visitors."""

import gradio as gr

from page.detector_choices import default_detector
from page.entity_spans import EntitySelection
from page.errors import NothingToDo
from page.examples.catalog import EXAMPLES, Example, find_example, image_file
from page.handlers import Handlers
from page.updates import AnswerUpdate, ExampleUpdate, RequestForm, show_answer, show_entities
from page.uploads import read_image


class ExampleHandlers:
    """The events of the examples.

    Args:
        handlers: Those of the page, which answer an example.
    """

    def __init__(self, handlers: Handlers):
        self._handlers, self._answers = handlers, {}

    def read_link(self, request: gr.Request) -> str:
        """Reads the example from the page's address, or chooses the first one if the address names none."""
        slug = request.query_params.get("example")
        return EXAMPLES[0].slug if slug is None else _find_example(slug).slug

    def follow_link(self, sentence: str, example: str) -> ExampleUpdate:
        """Fills in the example of the link, unless the visitor writes already."""
        if sentence:
            raise NothingToDo
        return self._fill(_find_example(example))

    def choose_example(self, event: gr.EventData) -> ExampleUpdate:
        """Fills in the example of the card that was clicked."""
        return self._fill(_find_example(event.example))

    def prepare_example(self, example: str | None, annotation_style: str | None) -> None:
        """Answers an example in an annotation style, once for all visitors."""
        found, key = find_example(example), (example, annotation_style)
        if found is None or key in self._answers:
            return
        path = image_file(found)
        self._answers[key] = self._handlers.build_answer(
            RequestForm(
                sentence=found.sentence,
                entities=self._handlers.suggest_entities(found.sentence),
                image=path and read_image(path),
                description=found.description,
                detector=default_detector(self._handlers.extractor.detector),
                annotation_style=annotation_style,
                example=example,
            )
        )

    def show_example(
        self, sentence: str, example: str | None, entities: EntitySelection, annotation_style: str | None
    ) -> AnswerUpdate:
        """Shows the prepared answer, unless the visitor writes or selects words already."""
        answer = self._answers.get((example, annotation_style))
        if answer is None or answer["text"] != sentence or entities.by_hand:
            return gr.skip()
        return show_answer(answer)

    def _fill(self, example: Example) -> ExampleUpdate:
        """Fills in an example, whose answer is on its way."""
        shown = show_entities(self._handlers.suggest_entities(example.sentence))
        return ExampleUpdate(
            sentence=example.sentence,
            image=image_file(example),
            description=example.description,
            filled_description=example.description,
            example=example.slug,
            entities=shown.entities,
            words=shown.words,
        )

    def clear_waiting(self) -> str:
        """Removes the note that an answer is on its way, where the example could not be answered."""
        return ""


def _find_example(slug: str) -> Example:
    """Finds an example; raises `NothingToDo` if there is none of this name."""
    example = find_example(slug)
    if example is None:
        raise NothingToDo
    return example
