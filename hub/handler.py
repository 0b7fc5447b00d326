"""The handler of a Hugging Face Inference Endpoint; it lies beside the weights.

    {"inputs": {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": "https://..."}, "parameters": {}}

`image` is a web address, base64 (a data URI too) or bytes; a list of inputs is answered by a list. `parameters` are
those of the pipeline: `pairs`, `direction`. What is wrong with a request is answered as `{"error": ...}`.
"""

import base64
import binascii
import io
import ipaddress
import logging
import os
import socket
from urllib.parse import urljoin, urlsplit

import httpx2
from PIL import Image
from transformers import pipeline

logger = logging.getLogger(__name__)

TASK = "multimodal-relation-extraction"
LARGEST_IMAGE = 20_000_000  # bytes
PARAMETERS = ("pairs", "direction")


class EndpointHandler:
    """Answers the requests of an endpoint.

    Args:
        path: Folder of the model's repository.
    """

    def __init__(self, path: str = ""):
        # the code it trusts is what lies beside this file; an installed and imported `vmhan` goes before it
        self.extract = pipeline(TASK, model=path or os.path.dirname(os.path.abspath(__file__)), trust_remote_code=True)

    def __call__(self, data: dict) -> dict | list[dict]:
        """The pipeline's answer, or `{"error": what is wrong and what to do}`."""
        try:
            inputs, parameters = read_body(data)
            several = isinstance(inputs, list)
            requests = [with_image(request) for request in (inputs if several else [inputs])]
            answers = self.extract(requests, **parameters) if requests else []
            return answers if several else answers[0]
        except (ValueError, OSError, httpx2.HTTPError) as error:
            notes = " ".join(getattr(error, "__notes__", ()))
            return {"error": f"{error} {notes}".strip()}
        except Exception as error:  # whatever else a request can break: its sender gets an answer, the log the trace
            logger.exception("A request failed.")
            return {"error": f"The request cannot be answered ({type(error).__name__}: {error}); check its fields."}


def read_body(data: dict) -> tuple[dict | list, dict]:
    """Inputs and parameters of a request's body."""
    if not isinstance(data, dict) or "inputs" not in data:
        raise ValueError('The body needs "inputs": {"text": ..., "entities": [...]}, or a list of these.')
    parameters = data.get("parameters") or {}
    if not isinstance(parameters, dict) or set(parameters) - set(PARAMETERS):
        raise ValueError(f'"parameters" is {parameters!r:.200}; there are {", ".join(PARAMETERS)}.')
    return data["inputs"], parameters


def with_image(request: dict) -> dict:
    """The request with its image opened; nothing on the endpoint's own disk or network can be named by one."""
    if not isinstance(request, dict):
        raise ValueError(f'An input is an object with "text" and "entities", not {request!r:.80}.')
    image = request.get("image")
    if image is None or isinstance(image, Image.Image):
        return request
    file = io.BytesIO(image_bytes(image))
    try:
        opened = Image.open(file)
        opened.load()
    except Exception as error:  # Pillow raises many kinds, and more where ultralytics puts in an opener of its own
        raise ValueError(f'"image" cannot be read ({error}); send an intact JPEG, PNG, WebP or GIF.') from error
    return {**request, "image": opened.convert("RGB")}


def image_bytes(image: str | bytes) -> bytes:
    """The file that a web address, base64, a data URI or bytes stand for."""
    if isinstance(image, bytes | bytearray):
        return bytes(image)
    if not isinstance(image, str):
        raise ValueError(f'"image" is a {type(image).__name__}; send a web address, base64 or bytes.')
    if image.startswith(("http://", "https://")):
        return download(image)
    encoded = image.partition(",")[2] if image.startswith("data:") else image
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f'"image" is neither a web address nor base64: {image!r:.60}.') from None


def download(address: str, redirects: int = 3) -> bytes:
    """The file at a web address. Addresses inside the endpoint's own network are refused."""
    refuse_private(address)
    with httpx2.stream("GET", address, timeout=10) as answer:
        if answer.is_redirect and redirects:
            return download(urljoin(address, answer.headers["location"]), redirects - 1)
        if answer.status_code != 200:
            raise ValueError(f'"image" at {address:.200} answers {answer.status_code}; send an address that opens.')
        content = b""
        for part in answer.iter_bytes():
            content += part
            if len(content) > LARGEST_IMAGE:
                raise ValueError(f'"image" at {address:.200} is larger than {LARGEST_IMAGE // 1_000_000} MB.')
        return content


def refuse_private(address: str) -> None:
    """Refuses what leads to this machine or its neighbours, unless VMHAN_PRIVATE_IMAGES is "1"."""
    if os.environ.get("VMHAN_PRIVATE_IMAGES") == "1":
        return
    parts = urlsplit(address)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(f'"image": the host of {address:.200} is not known; check the address.') from error
    if not all(ipaddress.ip_address(place[4][0].split("%")[0]).is_global for place in found):
        raise ValueError(f'"image": {address:.200} is not on the public internet; send the picture as base64.')
