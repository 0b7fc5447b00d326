"""Fixtures of the page's tests."""

import pytest
from tiny import save_tiny_checkpoint
from tiny_detectors import save_tiny_rt_detr


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> str:
    """The folder of a tiny model that reads names and boxes of objects."""
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), visual_features=["text", "box"])


@pytest.fixture(scope="session")
def detector(tmp_path_factory) -> str:
    """The folder of a tiny detector."""
    return save_tiny_rt_detr(tmp_path_factory.mktemp("detector"))
