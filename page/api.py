"""`/extract`: the pipeline for programs, by `gradio_client` and as an MCP tool."""

import gradio as gr
from PIL import Image

from page.components import image_input
from page.errors import user_error
from page.extractor import Extractor
from page.request_checks import run_extraction

_ENTITY = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]}


def add_endpoint(extractor: Extractor) -> None:
    """Adds `/extract` to the page that is being built, by components that nobody sees."""
    entities = gr.JSON(label="entities", visible=False)
    entities.api_info = lambda: {"type": "array", "items": _ENTITY}
    entities.example_payload = lambda: ["Ada", "Bob"]
    inputs = [
        gr.Textbox(label="text", visible=False),
        image_input(label="image", type="pil", visible=False),
        entities,
        gr.Textbox(label="description", visible=False),
        gr.Textbox(label="annotation_style", visible=False),
    ]
    gr.Button(visible=False).click(
        build_extract(extractor),
        inputs,
        gr.JSON(label="answer", visible=False),
        api_name="extract",
        concurrency_id="model",
        show_progress="hidden",
    )


def build_extract(extractor: Extractor):
    """Builds the function behind `/extract`; clients are shown its name, its types and its documentation."""

    def extract(
        text: str,
        image: Image.Image | None = None,
        entities: list | None = None,
        description: str | None = None,
        annotation_style: str | None = None,
    ) -> dict:
        """Extracts the relation of every pair of entities in a sentence, with its image if there is one.

        Args:
            text: The sentence.
            image: An uploaded file, or a data URI from an agent, optional; no address.
            entities: At least two, each a mention, or its [start, end] span of characters, end-exclusive. Optional:
                without them the model finds them, if it can.
            description: What the image shows, optional.
            annotation_style: Whose habit of annotation the model follows, optional; for example "general" or "mnre",
                if it was trained on these.

        Returns:
            The pairs, each with its head, tail, relation, scores and their entropy, attention on objects, and
            hypergraph; the entities, with kind and score; the objects of the image; its description; and warnings, if
            there is reason to doubt the answer.
        """
        if not isinstance(entities, list | tuple | None):
            raise user_error(f"entities is {entities!r:.80}; give a list of at least two, or leave them out.")
        if entities is not None:
            entities = [tuple(entity) if isinstance(entity, list) else entity for entity in entities]
        style = annotation_style or None
        return run_extraction(extractor, text or "", entities, image, description, annotation_style=style)

    return extract
