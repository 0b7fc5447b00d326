"""Checks of a request, and its extraction; a visitor or program gets a friendly error for what is wrong with it."""

from itertools import combinations

from PIL import Image

from page.detector_choices import default_detector, fallback_warning, usable_detector
from page.entity_spans import Span
from page.errors import unavailable_error, user_error
from page.extractor import Extractor
from page.labels import short
from vmhan.request_entities import search_mentions
from vmhan.request_limits import DEFAULT_LIMITS


def run_extraction(
    extractor: Extractor,
    text: str,
    entities: list | None,
    image: Image.Image | None = None,
    description: str | None = None,
    objects: list[dict] | None = None,
    detector: str | None = None,
    annotation_style: str | None = None,
) -> dict:
    """Extracts the relations of a request.

    Args:
        extractor: The model.
        text: The sentence.
        entities: Mentions, their character spans (start, end), end-exclusive, or dicts, as the pipeline takes them;
            None: the model finds them.
        image: The image, if there is one.
        description: What it shows.
        objects: Its objects; otherwise the detector finds them.
        detector: Name of the detector; by default the one that the page starts with.
        annotation_style: Name of one of the model's styles; by default the first.

    Returns:
        The pipeline's answer; its warnings say too if the bundled detector was used in place of another.

    Raises:
        gr.Error: The request is invalid, or the model or the detector unavailable; the message says what to do.
    """
    check_request(text, entities, description)
    request = {"text": text, "entities": entities, "image": image, "description": (description or "").strip() or None}
    request["annotation_style"] = annotation_style
    if objects:
        request["objects"] = objects
    wanted = detector or default_detector(extractor.detector)
    used = usable_detector(extractor, wanted, image)
    _check_model(extractor)
    try:
        return add_warning(extractor(request, used), fallback_warning(wanted, used))
    except ValueError as error:  # an invalid request
        raise user_error(str(error)) from error
    except (OSError, RuntimeError) as error:
        raise unavailable_error("The model failed on this request. Please try another.", error) from error


def add_warning(answer: dict, warning: str | None) -> dict:
    """Adds a warning to an answer, if there is one."""
    return answer if warning is None else {**answer, "warnings": [*answer["warnings"], warning]}


def check_request(text: str, entities: list | None, description: str | None = None) -> None:
    """Checks the sentence, the number of entities and their overlap, unless the model is to find them.

    Raises:
        gr.Error: One of them is invalid.
    """
    if not text.strip():
        raise user_error("Write a sentence first, or choose an example.")
    _check_length("sentence", text, DEFAULT_LIMITS.max_text_length)
    _check_length("description", description or "", DEFAULT_LIMITS.max_description_length)
    if entities is None:
        return
    if len(entities) < 2:
        raise user_error("A relation needs two entities: click their words in the sentence.")
    if len(entities) > DEFAULT_LIMITS.max_entities:
        raise user_error(f"These are {len(entities)} entities. Up to {DEFAULT_LIMITS.max_entities} go at once.")
    for first, second in combinations(_mention_spans(text, entities), 2):
        if first[0] < second[1] and second[0] < first[1]:
            names = " and ".join(f"“{short(text[slice(*span)], 40)}”" for span in (first, second))
            raise user_error(f"The entities {names} overlap. Choose ones that stand apart.")


def _check_length(name: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise user_error(f"This {name} has {len(text):,} characters. Up to {longest:,} can be read.")


def _mention_spans(text: str, entities: list) -> list[Span]:
    """Finds the character spans of the mentions; empty if the pipeline will refuse one of them with better words."""
    try:
        return search_mentions(text, entities)[0]
    except ValueError:
        return []


def _check_model(extractor: Extractor) -> None:
    """Loads the model, or raises a friendly error."""
    try:
        extractor.get_pipeline()
    except (ValueError, OSError, RuntimeError) as error:
        message = f"The model {extractor.name} is unavailable now: its weights are missing or damaged. "
        raise unavailable_error(f"{message}Please try later.", error) from error
