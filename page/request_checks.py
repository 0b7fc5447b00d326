"""A question, checked and put to the model; what is wrong with it is said kindly."""

from itertools import combinations

import gradio as gr
from PIL import Image

from page.detector_choices import default_detector, spoken
from page.errors import unavailable, user_error
from page.extractor import Extractor
from page.labels import short
from vmhan.bundled_weights import BUNDLED
from vmhan.detectors.loading import has_weights
from vmhan.object_detection import NO_DETECTOR, DetectorUnavailable
from vmhan.request_entities import find_mentions
from vmhan.request_limits import DEFAULT_LIMITS


def run_extraction(
    extractor: Extractor,
    text: str,
    entities: list,
    image: Image.Image | None = None,
    description: str | None = None,
    objects: list[dict] | None = None,
    detector: str | None = None,
) -> dict:
    """The pipeline's answer.

    Args:
        extractor: The model.
        text: The sentence.
        entities: Strings, or [start, end) ranges of characters.
        image: The picture, if there is one.
        description: Words about it.
        objects: What is known to be in it; otherwise the detector looks.
        detector: Name of the detector; by default the one that the page starts with, or what stands in for it.

    Raises:
        gr.Error: With what to do about it.
    """
    check_question(text, entities, description)
    question = {"text": text, "entities": entities, "image": image, "description": (description or "").strip() or None}
    if objects:
        question["objects"] = objects
    detector = usable_detector(extractor, detector or default_detector(extractor.detector), image)
    no_model = f"The model {extractor.name} cannot answer now: its weights are missing or damaged. Please try later."
    try:
        extractor.pipeline  # noqa: B018
    except (ValueError, OSError, RuntimeError) as error:
        raise unavailable(no_model, error) from error
    try:
        return extractor(question, detector)
    except ValueError as error:  # a bad question
        raise user_error(str(error)) from error
    except (OSError, RuntimeError) as error:
        raise unavailable("The model failed on this question. Please try another.", error) from error


def usable_detector(extractor: Extractor, name: str, image: Image.Image | None) -> str:
    """The detector of this name, or the bundled one where it cannot be had, which the visitor is told.

    Raises:
        gr.Error: The bundled one is not here either.
    """
    if name == NO_DETECTOR or image is None:
        return NO_DETECTOR
    try:
        extractor.detect_with(name)
    except DetectorUnavailable as error:
        if name == BUNDLED or not has_weights(BUNDLED):
            raise unavailable(_choose_another(name), error) from error
        message = f"{spoken(name)} cannot be had now, so the bundled detector looks at the picture."
        gr.Warning(unavailable(message, error).message)
        return BUNDLED
    except ValueError as error:  # a file that holds no detector
        raise unavailable(_choose_another(name), error) from error
    return name


def _choose_another(name: str) -> str:
    return f"{spoken(name)} cannot be had now. Choose another, or none."


def check_question(text: str, entities: list, description: str | None = None) -> None:
    """Refuses what the model should not be asked."""
    if not text.strip():
        raise user_error("Write a sentence first, or choose an example.")
    most = DEFAULT_LIMITS
    lengths = {
        "sentence": (text, most.max_text_length),
        "description": (description or "", most.max_description_length),
    }
    for name, (words, longest) in lengths.items():
        if len(words) > longest:
            raise user_error(f"This {name} has {len(words):,} characters. Up to {longest:,} can be read.")
    if len(entities) < 2:
        raise user_error("A relation needs two entities: click their words in the sentence.")
    if len(entities) > most.max_entities:
        raise user_error(f"These are {len(entities)} entities. Up to {most.max_entities} go at once.")
    for first, second in combinations(_spans(text, entities), 2):
        if first[0] < second[1] and second[0] < first[1]:
            names = " and ".join(f"“{short(text[slice(*span)], 40)}”" for span in (first, second))
            raise user_error(f"The entities {names} overlap. Choose ones that stand apart.")


def _spans(text: str, entities: list) -> list[tuple[int, int]]:
    """Characters of the entities; none if the pipeline will refuse one of them with better words."""
    try:
        return find_mentions(text, entities)[0]
    except ValueError:
        return []
