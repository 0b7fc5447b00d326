"""Fixtures of what the page renders."""

import pytest
from PIL import Image

from page.render.image_svg import data_address


@pytest.fixture(scope="session")
def image() -> dict:
    """An image as an answer of the page holds it."""
    return {"address": data_address(Image.new("RGB", (80, 60), "red")), "size": (80, 60)}
