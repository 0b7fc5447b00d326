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


@pytest.fixture
def bundled_detector(monkeypatch) -> Path:
    """Lets the bundled detector be the one in `assets/`; returns its folder."""
    from vmhan.pipeline_vmhan import _load_detector  # here, so that no test waits for it without need

    folder = Path(__file__).resolve().parents[1] / "assets" / "detector"
    monkeypatch.setattr("vmhan.detectors.BUNDLED_FOLDER", folder)
    _load_detector.cache_clear()
    yield folder
    _load_detector.cache_clear()
