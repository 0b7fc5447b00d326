"""What holds for all tests."""

import os
from pathlib import Path

import pytest

# Without a network the Hub's client would try again for minutes before it gave up.
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def no_bundled_detector(monkeypatch):
    """No test rests on what the bundled detector finds unless it says so: that changes with each training."""
    monkeypatch.setattr("vmhan.detectors.BUNDLED_FOLDER", Path("no bundled detector"))
