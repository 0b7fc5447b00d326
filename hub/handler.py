"""The handler of a Hugging Face Inference Endpoint, pushed beside the weights.

    {"inputs": {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": "/9j/4AAQSkZJRg..."}, "parameters": {}}

Without `entities` the model finds its own, if it has a mention head. `image` is base64, a data URI or bytes; the
endpoint fetches no address and opens no file that a request names. A list of inputs is answered by a list.
`parameters` are those of the pipeline: `pairs`, `direction`, `annotation_style`. An invalid request is answered by
`{"error": ...}`. `request_limits.check_call` limits the requests and pairs of one call.
"""

import logging
import os

from transformers import pipeline
from transformers.dynamic_module_utils import get_class_from_dynamic_module

logger = logging.getLogger(__name__)

TASK = "multimodal-relation-extraction"
PARAMETERS = ("pairs", "direction", "annotation_style")


class EndpointHandler:
    """Answers the requests of an endpoint.

    Args:
        path: Folder of the model's repository.
    """

    def __init__(self, path: str = ""):
        path = path or os.path.dirname(os.path.abspath(__file__))
        # the trusted code is that beside this file; an installed and imported `vmhan` takes precedence
        self.extract = pipeline(TASK, model=path, trust_remote_code=True)
        self.load_images = get_class_from_dynamic_module("image_inputs.load_inline_images", path)
        self.check_call = get_class_from_dynamic_module("request_limits.check_call", path)

    def __call__(self, data: dict) -> dict | list[dict]:
        """Runs the pipeline on a request's body; invalid requests are answered by `{"error": message}`."""
        try:
            inputs, parameters = read_body(data)
            several = isinstance(inputs, list)
            requests = inputs if several else [inputs]
            self.check_call(requests, parameters.get("pairs"))
            requests = self.with_images(requests)
            answers = self.extract(requests, **parameters) if requests else []
            return answers if several else answers[0]
        except (ValueError, OSError) as error:
            notes = " ".join(getattr(error, "__notes__", ()))
            return {"error": f"{error} {notes}".strip()}
        except Exception as error:  # any other failure: the sender gets an answer, the log the trace
            logger.exception("A request failed.")
            return {"error": f"The request cannot be answered ({type(error).__name__}: {error}); check its fields."}

    def with_images(self, requests: list) -> list[dict]:
        """Loads the images of the requests."""
        for request in requests:
            if not isinstance(request, dict):
                raise ValueError(f'An input is an object with "text" and "entities", not {request!r:.80}.')
        images = self.load_images([request.get("image") for request in requests])
        return [{**request, "image": image} for request, image in zip(requests, images, strict=True)]


def read_body(data: dict) -> tuple[dict | list, dict]:
    """Reads inputs and parameters of a request's body.

    Raises:
        ValueError: They are missing or unknown.
    """
    if not isinstance(data, dict) or "inputs" not in data:
        raise ValueError('The body needs "inputs": {"text": ..., "entities": [...]}, or a list of these.')
    parameters = data.get("parameters") or {}
    if not isinstance(parameters, dict) or set(parameters) - set(PARAMETERS):
        raise ValueError(f'"parameters" is {parameters!r:.200}; there are {", ".join(PARAMETERS)}.')
    return data["inputs"], parameters
