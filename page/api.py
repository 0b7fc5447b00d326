"""`/extract`: the pipeline for programs, by `gradio_client` and as an MCP tool."""

import gradio as gr
from PIL import Image

from page.errors import user_error
from page.extractor import Extractor
from page.request_checks import run_extraction
from page.uploads import picture_input

_ENTITY = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]}


def add_endpoint(extractor: Extractor) -> None:
    """Adds `/extract` to the page that is being built; nothing of it is to be seen there."""
    inputs = [
        gr.Textbox(label="text", visible=False),
        picture_input(label="image", type="pil", visible=False),
        gr.JSON(label="entities", visible=False),
        gr.Textbox(label="description", visible=False),
    ]
    inputs[2].api_info = lambda: {"type": "array", "items": _ENTITY}
    inputs[2].example_payload = lambda: ["Ada", "Bob"]
    gr.Button(visible=False).click(
        extraction(extractor),
        inputs,
        gr.JSON(label="answer", visible=False),
        api_name="extract",
        concurrency_id="model",
        show_progress="hidden",
    )


def extraction(extractor: Extractor):
    """The function behind `/extract`; clients are shown its name, its types and its documentation."""

    # Clients may leave out what is None by default; entities they may not, though Python wants a default there.
    def extract(
        text: str, image: Image.Image | None = None, entities: list = (), description: str | None = None
    ) -> dict:
        """Finds the relation of every pair of entities in a sentence, with a picture if there is one.

        Args:
            text: The sentence.
            image: A picture as an uploaded file, or as a data URI from an agent, optional; no address.
            entities: At least two, each the letters of its mention, or a [start, end] range of characters.
            description: Words about the picture, optional.

        Returns:
            The pairs, each with its head, tail, relation, scores and their entropy, attention on objects, and
            hypergraph; the objects of the picture; its description; and warnings, if there is reason to doubt the
            answer.
        """
        if not isinstance(entities, list | tuple | None):
            raise user_error(f"entities is {entities!r:.80}; give a list of at least two.")
        entities = [tuple(entity) if isinstance(entity, list) else entity for entity in entities or []]
        return run_extraction(extractor, text or "", entities, image, description)

    return extract
