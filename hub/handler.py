"""The handler of a Hugging Face Inference Endpoint; it lies beside the weights.

    {"inputs": {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": "https://..."}, "parameters": {}}

`image` is a web address, base64 (a data URI too) or bytes; a list of inputs is answered by a list. `parameters` are
those of the pipeline: `pairs`, `direction`. What is wrong with a request is answered as `{"error": ...}`.
"""

import base64
import binascii
import http.client
import io
import ipaddress
import logging
import os
import socket
import ssl
import threading
import time
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from PIL import Image
from transformers import pipeline

logger = logging.getLogger(__name__)

TASK = "multimodal-relation-extraction"
LARGEST_IMAGE = 20_000_000  # bytes
MOST_PIXELS = 40_000_000  # of all images of a request: a file of some kilobytes can hold a thousand times as many
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # no format whose reader starts a program
LONGEST_DOWNLOAD, LONGEST_SILENCE = 30, 10  # seconds
REDIRECTS = 3
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
            requests = decode([with_image(request) for request in (inputs if several else [inputs])])
            answers = self.extract(requests, **parameters) if requests else []
            return answers if several else answers[0]
        except (ValueError, OSError) as error:
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
    content = image_bytes(image)
    if len(content) > LARGEST_IMAGE:
        raise ValueError(f'"image" is larger than {LARGEST_IMAGE // 1_000_000} MB; make it smaller.')
    try:
        return {**request, "image": Image.open(io.BytesIO(content), formats=FORMATS)}
    except Exception as error:  # Pillow raises many kinds, and more where ultralytics puts in an opener of its own
        raise _unreadable(error) from error


def decode(requests: list[dict]) -> list[dict]:
    """The requests with the pixels of their images, which are counted before there is memory for any."""
    pixels = sum(request["image"].width * request["image"].height for request in requests if request.get("image"))
    if pixels > MOST_PIXELS:
        raise ValueError(
            f'"image" has {pixels:,} pixels, those of all inputs counted; up to {MOST_PIXELS:,} can be read. Make it '
            "smaller, or send the inputs one by one."
        )
    try:
        return [
            {**request, "image": request["image"].convert("RGB")} if request.get("image") else request
            for request in requests
        ]
    except Exception as error:  # a file that breaks off
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> ValueError:
    return ValueError(f'"image" cannot be read ({error}); send an intact JPEG, PNG, WebP or GIF.')


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


def download(address: str) -> bytes:
    """The file at a web address. Addresses inside the endpoint's own network are refused; no proxy is asked."""
    deadline = time.monotonic() + LONGEST_DOWNLOAD
    for _ in range(1 + REDIRECTS):
        try:
            content, location = fetch(address, deadline)
        except (OSError, http.client.HTTPException) as error:
            raise ValueError(
                f'"image" at {address:.200} cannot be fetched within {LONGEST_DOWNLOAD} seconds ({error}); check the '
                "address, or send the picture as base64."
            ) from error
        if location is None:
            return content
        address = urljoin(address, location)
    raise ValueError(f'"image" is moved more than {REDIRECTS} times, at last to {address:.200}; send that address.')


def fetch(address: str, deadline: float) -> tuple[bytes, str | None]:
    """The content at an address, or where it says that the content is."""
    parts = split_address(address)
    connection = connect(parts)
    # the timeout of a socket is for each read: a server that sends a byte now and then would never reach it
    cut = threading.Timer(deadline - time.monotonic(), connection.sock.shutdown, [socket.SHUT_RDWR])
    cut.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        target = quote(target, safe="/?%:@!$&'()*+,;=~[]")
        connection.request("GET", target, headers={"User-Agent": "vmhan", "Accept": "image/*"})
        answer = connection.getresponse()
        if answer.status in (301, 302, 303, 307, 308) and answer.headers["Location"]:
            return b"", answer.headers["Location"]
        if answer.status != 200:
            raise ValueError(f'"image" at {address:.200} answers {answer.status}; send an address that opens.')
        content = answer.read(LARGEST_IMAGE + 1)
    finally:
        cut.cancel()
        connection.close()
    if time.monotonic() > deadline:
        raise TimeoutError("it is too slow")
    return content, None


def split_address(address: str) -> SplitResult:
    """The parts of a web address."""
    try:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it has to begin with https:// and a host")
        parts.port  # noqa: B018 - where it is no number, asking for it raises
    except ValueError as error:
        raise ValueError(f'"image": {address:.200} is no web address ({error}); check it.') from error
    return parts


def connect(parts: SplitResult) -> http.client.HTTPConnection:
    """A connection to a host, by the very address that was checked: asked again, its name might lead elsewhere."""
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port or kind.default_port)
    connection.sock = socket.create_connection(public_place(parts.hostname, connection.port), LONGEST_SILENCE)
    if secure:
        context = ssl.create_default_context()
        connection.sock = context.wrap_socket(connection.sock, server_hostname=parts.hostname)
    return connection


def public_place(host: str, port: int) -> tuple[str, int]:
    """The address of a host. Refuses this machine and its neighbours, unless VMHAN_PRIVATE_IMAGES is "1"."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(f'"image": the host {host:.200} is not known; check the address.') from error
    places = [place[4][0] for place in found]
    if os.environ.get("VMHAN_PRIVATE_IMAGES") != "1" and not all(map(is_public, places)):
        raise ValueError(f'"image": {host:.200} is not on the public internet; send the picture as base64.')
    return places[0], port


def is_public(place: str) -> bool:
    """Whether an address is of the public internet; one of IPv4 may be written as one of IPv6."""
    found = ipaddress.ip_address(place.split("%")[0])
    return (getattr(found, "ipv4_mapped", None) or found).is_global
